//! What comes of FactorService's commands, as messages.

use countersign_domain::Error;
use countersign_domain::model::{Factor, FactorKind, RecoveryCode};
use countersign_domain::use_cases::{BegunEnrollment, ListedFactors};
use countersign_proto::v1;
use qrcode::QrCode;
use qrcode::render::svg;

use crate::grpc::convert::timestamp;
use crate::grpc::factor::key_uri::key_uri;

pub(super) fn begun(
    begun: &BegunEnrollment,
    issuer: &str,
) -> Result<v1::BeginEnrollmentResponse, Error> {
    let secret = begun.enrollment.secret.to_base32();
    let uri = key_uri(issuer, &begun.account, &secret);
    // What was to be drawn holds the secret: the error does not.
    let code = QrCode::new(uri.as_bytes())
        .map_err(|error| Error::Internal(format!("a QR code cannot be drawn: {error}")))?;
    Ok(v1::BeginEnrollmentResponse {
        enrollment_id: begun.enrollment.id.to_string(),
        qr_code_svg: code
            .render::<svg::Color<'_>>()
            .min_dimensions(240, 240)
            .build(),
        otpauth_uri: uri,
        secret: secret.to_string(),
        expire_time: timestamp(begun.enrollment.expires_at),
    })
}

pub(super) fn listed(listed: &ListedFactors) -> v1::ListFactorsResponse {
    v1::ListFactorsResponse {
        factors: listed.factors.iter().map(factor).collect(),
        remaining_recovery_codes: i32::try_from(listed.recovery_codes_left).unwrap_or(i32::MAX),
    }
}

pub(super) fn shown(codes: &[RecoveryCode]) -> Vec<String> {
    codes
        .iter()
        .map(|code| code.to_shown().to_string())
        .collect()
}

fn factor(factor: &Factor) -> v1::Factor {
    let kind = match factor.kind {
        FactorKind::Totp => v1::FactorKind::Totp,
    };
    v1::Factor {
        factor_id: factor.id.to_string(),
        kind: kind.into(),
        label: factor.label.as_str().to_owned(),
        create_time: timestamp(factor.created_at),
    }
}
