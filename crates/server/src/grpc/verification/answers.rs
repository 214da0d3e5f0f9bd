//! What comes of VerificationService's commands, as messages.

use countersign_domain::model::Purpose;
use countersign_domain::use_cases::{CheckedCode, Delivery, SentCode, ShownVerification};
use countersign_proto::v1;

use crate::grpc::convert::timestamp;

pub(super) fn sent(sent: &SentCode) -> v1::SendCodeResponse {
    v1::SendCodeResponse {
        verification_id: sent.record.id.to_string(),
        expire_time: timestamp(sent.record.expires_at),
        resend_time: timestamp(sent.resend_at),
    }
}

pub(super) fn checked(checked: &CheckedCode) -> v1::CheckCodeResponse {
    v1::CheckCodeResponse {
        proof: checked.proof.expose().to_owned(),
        proof_expire_time: timestamp(checked.expires_at),
    }
}

pub(super) fn shown(shown: &ShownVerification) -> v1::GetVerificationResponse {
    let record = &shown.record;
    let verification = v1::Verification {
        verification_id: record.id.to_string(),
        group_id: record.group.as_str().to_owned(),
        purpose: purpose(record.purpose).into(),
        masked_address: record.address.masked(),
        create_time: timestamp(record.created_at),
        expire_time: timestamp(record.expires_at),
        remaining_attempts: i32::try_from(shown.remaining_attempts).unwrap_or(i32::MAX),
        delivery_state: delivery_state(shown.delivery).into(),
    };
    v1::GetVerificationResponse {
        verification: Some(verification),
    }
}

fn purpose(purpose: Purpose) -> v1::Purpose {
    match purpose {
        Purpose::SignUp | Purpose::ConfirmSignUp => v1::Purpose::SignUp,
        Purpose::SignIn => v1::Purpose::SignIn,
        Purpose::PasswordReset => v1::Purpose::PasswordReset,
        Purpose::ChangeIdentifier => v1::Purpose::ChangeIdentifier,
        // Their codes are kept with enrolments and sessions, which no call of this service
        // reads.
        Purpose::AddFactor | Purpose::SecondFactor | Purpose::StepUp => v1::Purpose::Unspecified,
    }
}

fn delivery_state(delivery: Delivery) -> v1::DeliveryState {
    match delivery {
        Delivery::ByCaller => v1::DeliveryState::ByCaller,
        Delivery::Queued => v1::DeliveryState::Queued,
        Delivery::Sent => v1::DeliveryState::Sent,
        Delivery::Failed => v1::DeliveryState::Failed,
        Delivery::Withheld => v1::DeliveryState::Withheld,
    }
}
