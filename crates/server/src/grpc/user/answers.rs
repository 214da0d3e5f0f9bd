//! What comes of UserService's commands, as messages.

use countersign_domain::model::Address;
use countersign_domain::use_cases::{ListedIdentifiers, UndoableChange};
use countersign_proto::v1;

use crate::grpc::convert::timestamp;

pub(super) fn listed(listed: &ListedIdentifiers) -> v1::ListIdentifiersResponse {
    v1::ListIdentifiersResponse {
        identifiers: listed.addresses.iter().map(identifier).collect(),
        undoable_changes: listed.undoable.iter().map(change).collect(),
    }
}

/// An address, as it is.
pub(super) fn identifier(address: &Address) -> v1::Identifier {
    use v1::identifier::Value;
    let text = address.as_str().to_owned();
    let value = match address {
        Address::Email(_) => Value::Email(text),
        Address::Phone(_) => Value::Phone(text),
    };
    v1::Identifier { value: Some(value) }
}

fn change(undoable: &UndoableChange) -> v1::IdentifierChange {
    let (added, removed) = (&undoable.change.added, &undoable.change.removed);
    v1::IdentifierChange {
        added: added.as_ref().map(identifier),
        removed: removed.as_ref().map(identifier),
        create_time: timestamp(undoable.created_at),
        undo_expire_time: timestamp(undoable.expires_at),
    }
}
