//! The `polygist` program.

fn main() -> std::process::ExitCode {
    polygist::cli::main()
}
