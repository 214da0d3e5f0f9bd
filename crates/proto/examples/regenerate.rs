//! Writes `src/gen` from the contract in `proto/`, with a protobuf compiler in
//! Rust, so that no `protoc` is needed: `cargo regenerate`.

use std::error::Error;
use std::path::{Path, PathBuf};

use prost::Message as _;

/// The files of the contract, from its root.
const FILES: [&str; 5] = [
    "countersign/v1/auth.proto",
    "countersign/v1/error_reason.proto",
    "countersign/v1/session.proto",
    "countersign/v1/types.proto",
    "countersign/v1/verification.proto",
];

/// Where the generated files are committed.
pub(crate) fn generated_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gen")
}

/// Messages with a secret in them: their `Debug` is written by hand, in
/// `src/redacted.rs`.
const SECRET: [&str; 14] = [
    "ChangePasswordRequest",
    "CheckCodeRequest",
    "CheckCodeResponse",
    "ConfirmSignUpRequest",
    "PasswordGrant",
    "Person",
    "RefreshTokensRequest",
    "ResetPasswordRequest",
    "RevokeTokenRequest",
    "SendCodeRequest",
    "SignUpRequest",
    "Tokens",
    "ValidateTokenRequest",
    "VerifiedCodeGrant",
];

/// A file's name and content.
type Generated = (&'static str, Vec<u8>);

/// Generates all files.
pub(crate) fn generate() -> Result<Vec<Generated>, Box<dyn Error>> {
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let descriptors = protox::compile(FILES, [contract])?;
    let out = tempfile::tempdir()?;
    tonic_prost_build::configure()
        .out_dir(out.path())
        .emit_rerun_if_changed(false)
        .skip_debug(SECRET.map(|message| format!(".countersign.v1.{message}")))
        .compile_fds(descriptors.clone())?;
    let code = std::fs::read(out.path().join("countersign.v1.rs"))?;
    Ok(vec![
        ("countersign.v1.rs", code),
        ("countersign.v1.bin", descriptors.encode_to_vec()),
    ])
}

fn main() -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(generated_dir())?;
    for (name, content) in generate()? {
        std::fs::write(generated_dir().join(name), content)?;
    }
    Ok(())
}
