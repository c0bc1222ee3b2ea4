//! What the allocator does with memory that is free again.
//!
//! A message of a phone takes a few megabytes for some milliseconds. By default the GNU C library gives them back to the system after
//! each message and gets them again, page by page, for the next one, which is a sixth of what a sync costs. So the server keeps them;
//! <https://www.gnu.org/software/libc/manual/html_node/Malloc-Tunable-Parameters.html>.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod gnu {
    /// Octets that each arena keeps at its end.
    const KEPT: libc::c_int = 32 << 20;
    /// Octets from which an allocation is the system's alone, and goes back to it.
    const APART: libc::c_int = 4 << 20;
    /// Octets that an arena grows by.
    const STEP: libc::c_int = 256 << 10;

    pub(super) fn keep() {
        let settings = [
            (libc::M_TRIM_THRESHOLD, KEPT),
            (libc::M_MMAP_THRESHOLD, APART),
            (libc::M_TOP_PAD, STEP),
        ];
        for (parameter, value) in settings {
            // SAFETY: mallopt takes two numbers and sets a number of the allocator; it may be called at any time.
            #[expect(unsafe_code, reason = "the C library has no other way to say it")]
            let set = unsafe { libc::mallopt(parameter, value) };
            if set == 0 {
                tracing::debug!("the allocator does not take its parameter {parameter}");
            }
        }
    }
}

/// Keeps memory that is free for the next message. To be called before the server's threads start. Nothing on systems with another
/// allocator.
pub(super) fn keep() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    gnu::keep();
}
