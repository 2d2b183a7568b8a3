//! The most memory that this process has had, where the system tells.

use std::fs;

/// The peak of the resident memory since a point in time.
pub struct Memory;

impl Memory {
    /// Begins anew. Where the system cannot forget (it is Linux that can), [`Memory::peak`] goes on
    /// counting from the start of the process.
    pub fn begin() -> Memory {
        // 5 resets the "high water mark", see proc(5).
        let _ = fs::write("/proc/self/clear_refs", "5");
        Memory
    }

    /// Bytes at the peak; `None` where the system does not say.
    pub fn peak(&self) -> Option<u64> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    }
}
