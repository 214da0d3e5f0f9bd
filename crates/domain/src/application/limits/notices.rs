//! Limits on notices to one address, so that nobody who is signed in makes others
//! pay for messages without end. What they tell of is never refused for them.

use super::{DAY, Limits};
use crate::model::Address;
use crate::ports::{Budget, Content, Message, Spending};

/// Notices of one kind to one number in a day: each text message has its price.
const TO_PHONE: u32 = 10;
/// Notices of one kind to one mail address in a day.
const TO_EMAIL: u32 = 50;

impl Limits {
    /// Charges a notice before it is sent for the first time. Whether it may be: the
    /// first ones of a day tell the owner, more of the same kind tell nothing new.
    /// Where this cannot be counted, it may: a notice too many does less harm than
    /// one that is missing.
    pub(crate) async fn may_notify(&self, notice: &Message) -> bool {
        let Some(kind) = kind(&notice.content) else {
            return true;
        };
        let limit = match notice.to {
            Address::Phone(_) => TO_PHONE,
            Address::Email(_) => TO_EMAIL,
        };
        let budget = Budget {
            name: self.name("notice", &[notice.to.as_str(), kind]),
            limit,
            window: DAY,
        };
        let spending = self.ephemeral.spend(&[budget]).await;
        !matches!(spending, Ok(Spending::Refused { .. }))
    }
}

/// The kind of a notice that is counted. Codes and links are charged when they are
/// asked for, and so is what answers in place of one; a change of an address brings
/// the means to undo it, and there are few of them in a day.
fn kind(content: &Content) -> Option<&'static str> {
    match content {
        Content::Code { .. }
        | Content::Link { .. }
        | Content::AlreadySignedUp
        | Content::IdentifierChanged { .. } => None,
        Content::PasswordChanged => Some("password-changed"),
        Content::PasswordReset => Some("password-reset"),
        Content::FactorAdded => Some("factor-added"),
        Content::FactorRemoved => Some("factor-removed"),
        Content::FederatedIdentityLinked => Some("federated-identity-linked"),
        Content::FederatedIdentityUnlinked => Some("federated-identity-unlinked"),
        Content::RecoveryCodesReplaced => Some("recovery-codes-replaced"),
        Content::NewDevice => Some("new-device"),
        Content::AccountClosed => Some("account-closed"),
        Content::IdentifierChangeUndone => Some("identifier-change-undone"),
    }
}
