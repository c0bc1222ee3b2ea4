//! The `candybar` program: see [`candybar::cli`].

// A message's items are many small values that live as long as the message; the system's allocator spends a third of a
// sync on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    candybar::cli::main()
}
