//! The `candybar` program: see [`candybar::cli`].

/// A message is hundreds of small pieces, made by one thread and let go by another: the allocator of the C library takes a fifth
/// of the server's time for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc 2.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// Milliseconds for which free memory is kept: longer than a phone takes between two messages, each of which would have the
/// system give it again.
const KEPT: std::ffi::c_long = 10_000;

fn main() -> std::process::ExitCode {
    // SAFETY: it sets a number, and may be called at any time.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, KEPT) };
    candybar::cli::main()
}
