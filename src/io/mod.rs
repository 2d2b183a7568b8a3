//! Disk and network. No other folder opens a file or a socket.

pub mod weights;
