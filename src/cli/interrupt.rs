//! Ctrl-C and the signals that end a process: the first one stops after the work at hand, the
//! second at once.

use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use std::sync::atomic::{AtomicU8, Ordering};

/// What Ctrl-C sends.
const SIGINT: u8 = 2;

/// The signal that came first; Ctrl-C as long as none has.
static SIGNAL: AtomicU8 = AtomicU8::new(SIGINT);

/// The exit code of a process that was stopped, as shells report it: 130 with Ctrl-C, 143 by
/// `kill`.
pub fn exit_code() -> u8 {
    128 + SIGNAL.load(Ordering::SeqCst)
}

/// A token that is cancelled by Ctrl-C, and by a request to end. To be called once in a process.
pub fn token() -> Result<CancelToken> {
    let token = CancelToken::new();
    let cancelled = token.clone();
    let refused = |e: &dyn std::fmt::Display| {
        Error::Usage(format!("cannot listen for Ctrl-C and other signals: {e}"))
    };
    ctrlc::set_handler(move || stop(&cancelled, SIGINT)).map_err(|e| refused(&e))?;
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGHUP, SIGTERM};
        let cancelled = token.clone();
        let mut signals =
            signal_hook::iterator::Signals::new([SIGTERM, SIGHUP]).map_err(|e| refused(&e))?;
        std::thread::spawn(move || {
            for signal in signals.forever() {
                stop(&cancelled, u8::try_from(signal).unwrap_or(SIGINT));
            }
        });
    }
    Ok(token)
}

fn stop(token: &CancelToken, signal: u8) {
    if token.cancel() {
        std::process::exit(i32::from(exit_code()));
    }
    SIGNAL.store(signal, Ordering::SeqCst);
    let again = if signal == SIGINT { "Ctrl-C again" } else { "a second signal" };
    eprintln!("\npolygist: stopping after the work at hand; {again} stops at once");
}
