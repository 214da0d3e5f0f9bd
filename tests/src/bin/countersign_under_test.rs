//! The server as it is shipped, under a name that cargo shows to the tests.

fn main() -> std::process::ExitCode {
    countersign_server::cli::main()
}
