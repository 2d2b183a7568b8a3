//! The memory that this process has and has had, and what the machine has, where the system tells.

use std::fs;

/// What the system tells of memory. The value itself is a point in time, since which the peak
/// counts.
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
        field(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
    }

    /// Bytes of this process; `None` where the system does not say.
    pub fn resident() -> Option<u64> {
        field(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
    }

    /// Bytes that the machine has left for programs, and all of its bytes; `None` where the system
    /// does not say.
    pub fn of_machine() -> Option<(u64, u64)> {
        let told = fs::read_to_string("/proc/meminfo").ok()?;
        Some((field(&told, "MemAvailable:")?, field(&told, "MemTotal:")?))
    }
}

/// A field of proc(5), in bytes.
fn field(told: &str, name: &str) -> Option<u64> {
    let line = told.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
