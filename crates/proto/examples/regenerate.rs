//! Writes `src/gen` and `docs/rpcs.md` from the contract in `proto/`, with a
//! protobuf compiler in Rust, so that no `protoc` is needed: `cargo regenerate`.

use std::error::Error;
use std::path::{Path, PathBuf};

use prost::Message as _;
use prost_types::FileDescriptorSet;

#[path = "regenerate/policies.rs"]
mod policies;

/// The files of the contract, from its root.
const FILES: [&str; 17] = [
    "countersign/v1/audit.proto",
    "countersign/v1/auth.proto",
    "countersign/v1/error_reason.proto",
    "countersign/v1/factor.proto",
    "countersign/v1/federation.proto",
    "countersign/v1/group.proto",
    "countersign/v1/policy.proto",
    "countersign/v1/service_account.proto",
    "countersign/v1/session.proto",
    "countersign/v1/types.proto",
    "countersign/v1/user.proto",
    "countersign/v1/verification.proto",
    "envoy/config/core/v3/base.proto",
    "envoy/service/auth/v3/attribute_context.proto",
    "envoy/service/auth/v3/external_auth.proto",
    "envoy/type/v3/http_status.proto",
    "google/rpc/status.proto",
];

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Messages with a secret in them: their `Debug` is written by hand, in
/// `src/redacted.rs`.
const SECRET: [&str; 62] = [
    "AddIdentifierRequest",
    "BeginEnrollmentRequest",
    "BeginEnrollmentResponse",
    "BeginFederatedSignInRequest",
    "BeginFederatedSignInResponse",
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
    "FederatedAccount",
    "FederatedCallback",
    "GetProfileRequest",
    "GetVerificationRequest",
    "IdTokenGrant",
    "ImportUsersRequest",
    "ImportedUser",
    "IssueTokensRequest",
    "IssueTokensResponse",
    "LinkFederatedIdentityRequest",
    "ListFactorsRequest",
    "ListFederatedIdentitiesRequest",
    "ListIdentifiersRequest",
    "MfaRequired",
    "PasskeyGrant",
    "PasswordGrant",
    "Person",
    "ProviderCallback",
    "ReceiveProviderNotificationRequest",
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
    "UnlinkFederatedIdentityRequest",
    "UpdateProfileRequest",
    "ValidateMfaSessionRequest",
    "ValidateMfaSessionResponse",
    "ValidateTokenRequest",
    "VerifiedCodeGrant",
    "WithdrawProfileRequest",
];

/// Those of other contracts.
const SECRET_OF_OTHERS: [&str; 2] = [
    ".envoy.config.core.v3.HeaderValue",
    ".envoy.service.auth.v3.AttributeContext.HttpRequest",
];

/// The packages of the contract. Each has a file of its own, and `src/lib.rs` the
/// modules around them.
const PACKAGES: [(&str, &str); 5] = [
    (
        "countersign.v1.rs",
        "crates/proto/src/gen/countersign.v1.rs",
    ),
    (
        "envoy.config.core.v3.rs",
        "crates/proto/src/gen/envoy.config.core.v3.rs",
    ),
    (
        "envoy.service.auth.v3.rs",
        "crates/proto/src/gen/envoy.service.auth.v3.rs",
    ),
    (
        "envoy.r#type.v3.rs",
        "crates/proto/src/gen/envoy.type.v3.rs",
    ),
    ("google.rpc.rs", "crates/proto/src/gen/google.rpc.rs"),
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
        .skip_debug(SECRET_OF_OTHERS)
        .compile_fds(FileDescriptorSet::decode(&*descriptors)?)?;
    let mut generated = vec![
        ("crates/proto/src/gen/countersign.v1.bin", descriptors),
        ("crates/proto/src/gen/rpcs.rs", policies::code(&rpcs).into()),
        ("docs/rpcs.md", policies::table(&rpcs).into()),
    ];
    for (name, path) in PACKAGES {
        let code =
            std::fs::read(out.path().join(name)).map_err(|error| format!("{name}: {error}"))?;
        generated.push((path, code));
    }
    Ok(generated)
}

fn main() -> Result<(), Box<dyn Error>> {
    for (path, content) in generate()? {
        std::fs::write(root().join(path), content)?;
    }
    Ok(())
}
