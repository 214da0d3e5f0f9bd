//! What comes of FactorService's commands, as messages.

use countersign_domain::Error;
use countersign_domain::model::{Address, FactorKind, RecoveryCode};
use countersign_domain::use_cases::{BegunEnrollment, ListedFactor, ListedFactors};
use countersign_proto::v1;
use qrcode::QrCode;
use qrcode::render::svg;

use crate::grpc::convert::timestamp;
use crate::grpc::factor::key_uri::key_uri;

pub(super) fn begun(
    begun: &BegunEnrollment,
    issuer: &str,
) -> Result<v1::BeginEnrollmentResponse, Error> {
    let enrollment = &begun.enrollment;
    let mut response = v1::BeginEnrollmentResponse {
        enrollment_id: enrollment.id.to_string(),
        expire_time: timestamp(enrollment.expires_at),
        creation_options: begun.creation_options.clone().unwrap_or_default(),
        masked_address: enrollment
            .address()
            .map(Address::masked)
            .unwrap_or_default(),
        ..Default::default()
    };
    if let Some(secret) = enrollment.totp() {
        let secret = secret.to_base32();
        response.otpauth_uri = key_uri(issuer, &begun.account, &secret);
        // What was to be drawn holds the secret: the error does not.
        let code = QrCode::new(response.otpauth_uri.as_bytes())
            .map_err(|error| Error::Internal(format!("a QR code cannot be drawn: {error}")))?;
        let mut image = code.render::<svg::Color<'_>>();
        response.qr_code_svg = image.min_dimensions(240, 240).build();
        response.secret = secret.to_string();
    }
    Ok(response)
}

pub(super) fn listed(listed: &ListedFactors) -> v1::ListFactorsResponse {
    v1::ListFactorsResponse {
        factors: listed.factors.iter().map(factor).collect(),
        remaining_recovery_codes: count(listed.recovery_codes_left),
        unreadable_factors: count(listed.unreadable),
    }
}

pub(super) fn shown(codes: &[RecoveryCode]) -> Vec<String> {
    codes
        .iter()
        .map(|code| code.to_shown().to_string())
        .collect()
}

fn count(of: u32) -> i32 {
    i32::try_from(of).unwrap_or(i32::MAX)
}

fn factor(listed: &ListedFactor) -> v1::Factor {
    let factor = &listed.factor;
    let kind = match factor.kind {
        FactorKind::Totp => v1::FactorKind::Totp,
        FactorKind::Passkey => v1::FactorKind::Passkey,
        FactorKind::Sms => v1::FactorKind::Sms,
        FactorKind::Email => v1::FactorKind::Email,
    };
    v1::Factor {
        factor_id: factor.id.to_string(),
        kind: kind.into(),
        label: factor.label.as_str().to_owned(),
        create_time: timestamp(factor.created_at),
        masked_address: listed.masked_address.clone().unwrap_or_default(),
    }
}
