//! Writes `src/gen` and `docs/rpcs.md` from the contract in `proto/`, with a
//! protobuf compiler in Rust, so that no `protoc` is needed: `cargo regenerate`.

use std::error::Error;
use std::path::{Path, PathBuf};

use prost::Message as _;
use prost_types::FileDescriptorSet;

#[path = "regenerate/policies.rs"]
mod policies;

/// The files of the contract, from its root.
const FILES: [&str; 11] = [
    "countersign/v1/audit.proto",
    "countersign/v1/auth.proto",
    "countersign/v1/error_reason.proto",
    "countersign/v1/factor.proto",
    "countersign/v1/group.proto",
    "countersign/v1/policy.proto",
    "countersign/v1/service_account.proto",
    "countersign/v1/session.proto",
    "countersign/v1/types.proto",
    "countersign/v1/user.proto",
    "countersign/v1/verification.proto",
];

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Messages with a secret in them: their `Debug` is written by hand, in
/// `src/redacted.rs`.
const SECRET: [&str; 52] = [
    "AddIdentifierRequest",
    "BeginEnrollmentRequest",
    "BeginEnrollmentResponse",
    "BeginMfaAssertionRequest",
    "BeginStepUpAssertionRequest",
    "ChangeIdentifierRequest",
    "ChangePasswordRequest",
    "CheckCodeRequest",
    "CheckCodeResponse",
    "ConfirmEnrollmentRequest",
    "ConfirmEnrollmentResponse",
    "ConfirmSignUpRequest",
    "CreateMfaSessionRequest",
    "CreateMfaSessionResponse",
    "CreateServiceAccountSecretResponse",
    "CreateUserRequest",
    "GetProfileRequest",
    "GetVerificationRequest",
    "ImportUsersRequest",
    "ImportedUser",
    "IssueTokensRequest",
    "IssueTokensResponse",
    "ListFactorsRequest",
    "ListIdentifiersRequest",
    "MfaRequired",
    "PasskeyGrant",
    "PasswordGrant",
    "Person",
    "RefreshTokensRequest",
    "RegenerateRecoveryCodesRequest",
    "RegenerateRecoveryCodesResponse",
    "RemoveFactorRequest",
    "RemoveIdentifierRequest",
    "ResetPasswordRequest",
    "RevokeTokenRequest",
    "SendCodeRequest",
    "SendMfaCodeRequest",
    "SendStepUpCodeRequest",
    "ServiceAccountGrant",
    "ServiceAccountToken",
    "SignUpRequest",
    "StartPasswordResetRequest",
    "StepUpSessionRequest",
    "StepUpSessionResponse",
    "Tokens",
    "UndoIdentifierChangeRequest",
    "UpdateProfileRequest",
    "ValidateMfaSessionRequest",
    "ValidateMfaSessionResponse",
    "ValidateTokenRequest",
    "VerifiedCodeGrant",
    "WithdrawProfileRequest",
];

/// The path of a file from the root of the repository, and its content.
type Generated = (&'static str, Vec<u8>);

/// Generates all files.
pub(crate) fn generate() -> Result<Vec<Generated>, Box<dyn Error>> {
    let mut compiler = protox::Compiler::new([root().join("proto")])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(FILES)?;
    // Encoded by the compiler, as prost's own types would lose the policies.
    let descriptors = compiler.encode_file_descriptor_set();
    let rpcs = policies::read(&compiler.descriptor_pool())?;
    let out = tempfile::tempdir()?;
    tonic_prost_build::configure()
        .out_dir(out.path())
        .emit_rerun_if_changed(false)
        .codec_path("crate::SmallBuffers")
        .skip_debug(SECRET.map(|message| format!(".countersign.v1.{message}")))
        .compile_fds(FileDescriptorSet::decode(&*descriptors)?)?;
    let code = std::fs::read(out.path().join("countersign.v1.rs"))?;
    Ok(vec![
        ("crates/proto/src/gen/countersign.v1.rs", code),
        ("crates/proto/src/gen/countersign.v1.bin", descriptors),
        ("crates/proto/src/gen/rpcs.rs", policies::code(&rpcs).into()),
        ("docs/rpcs.md", policies::table(&rpcs).into()),
    ])
}

fn main() -> Result<(), Box<dyn Error>> {
    for (path, content) in generate()? {
        std::fs::write(root().join(path), content)?;
    }
    Ok(())
}
