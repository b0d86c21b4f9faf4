//! The binary. All that it does is in the library, where tests reach it.

use std::process::ExitCode;

/// A session check takes some forty pieces of memory, and gives them back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    doorward::cli::main()
}
