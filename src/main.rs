//! The `candybar` program: see [`candybar::cli`].

fn main() -> std::process::ExitCode {
    candybar::cli::main()
}
