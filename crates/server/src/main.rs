//! The `countersign` program.

/// A call makes some hundred small allocations, which glibc's own takes a sixth
/// of its time for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    countersign_server::cli::main()
}
