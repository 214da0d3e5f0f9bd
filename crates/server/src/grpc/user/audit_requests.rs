//! What operators ask of the audit log.

use countersign_domain::model::{AuditAction, AuditFilter, CallerName, PageSize};
use countersign_domain::use_cases::ListAuditEvents;
use countersign_domain::{Error, Fields};
use countersign_proto::v1;

use super::user_fields::{instant, optional};
use crate::grpc::convert;
use crate::grpc::rpc_runner::Asked;

/// How many actions a request may name.
const MAX_ACTIONS: usize = 40;

impl TryFrom<Asked<'_, v1::ListAuditEventsRequest>> for ListAuditEvents {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ListAuditEventsRequest>) -> Result<Self, Error> {
        let message = asked.message;
        let mut fields = Fields::new();
        let size = fields.take("page_size", PageSize::parse(message.page_size));
        let user = optional(&mut fields, "user_id", &message.user_id, str::parse);
        let caller = optional(
            &mut fields,
            "caller_id",
            &message.caller_id,
            CallerName::parse,
        );
        let group = match message.group_id.as_str() {
            "" => None,
            text => convert::group(&mut fields, "group_id", text),
        };
        let session = optional(&mut fields, "session_id", &message.session_id, str::parse);
        let refused = refused(&mut fields, message.outcome);
        let actions = actions(&mut fields, &message.actions);
        let filter = AuditFilter {
            user,
            caller: caller.map(|name| name.as_str().to_owned()),
            group,
            session,
            actions,
            refused,
            from: instant(&mut fields, "start_time", message.start_time),
            before: instant(&mut fields, "end_time", message.end_time),
        };
        let after = fields.take("page_token", filter.parse_page_token(&message.page_token));
        fields.finish(|| {
            Some(Self {
                filter,
                size: size?,
                after: after?,
            })
        })
    }
}

fn refused(fields: &mut Fields, value: i32) -> Option<bool> {
    match v1::AuditOutcome::try_from(value) {
        Ok(v1::AuditOutcome::Unspecified) => None,
        Ok(v1::AuditOutcome::Succeeded) => Some(false),
        Ok(v1::AuditOutcome::Refused) => Some(true),
        Err(_) => {
            fields.refuse("outcome", "must be a known outcome");
            None
        }
    }
}

/// The actions, each once.
fn actions(fields: &mut Fields, values: &[i32]) -> Vec<AuditAction> {
    if values.len() > MAX_ACTIONS {
        fields.refuse("actions", format!("must have at most {MAX_ACTIONS} items"));
    }
    let mut actions = Vec::new();
    for (index, value) in values.iter().take(MAX_ACTIONS).enumerate() {
        let action = action(*value).ok_or("must be a known action");
        actions.extend(fields.take(&format!("actions[{index}]"), action));
    }
    actions.sort_unstable();
    actions.dedup();
    actions
}

/// The two lists have the same names.
fn action(value: i32) -> Option<AuditAction> {
    let name = v1::AuditAction::try_from(value).ok()?.as_str_name();
    let name = name.strip_prefix("AUDIT_ACTION_")?;
    AuditAction::from_stored(&name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use countersign_domain::model::AuditRefusal;

    use super::*;
    use crate::grpc::user::audit_answers;

    #[test]
    fn each_action_is_one_of_the_contract_and_the_other_way_round() {
        for known in AuditAction::ALL {
            let told = audit_answers::action(*known);
            assert_eq!(action(told.into()), Some(*known), "{known:?}");
        }
        let of_contract = (1..).take_while(|value| v1::AuditAction::try_from(*value).is_ok());
        assert_eq!(of_contract.count(), AuditAction::ALL.len());
        assert_eq!(action(0), None);
        assert_eq!(action(-1), None);
    }

    #[test]
    fn each_reason_of_a_refusal_is_one_of_the_contract() {
        for reason in AuditRefusal::ALL {
            let name = format!("ERROR_REASON_{}", reason.as_str());
            assert!(v1::ErrorReason::from_str_name(&name).is_some(), "{name}");
        }
    }
}
