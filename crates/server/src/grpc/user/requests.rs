//! UserService's messages, each made the command that it asks for.

use countersign_domain::model::{Proof, UndoToken};
use countersign_domain::use_cases::{
    AddIdentifier, ChangeIdentifier, ListIdentifiers, RemoveIdentifier, UndoIdentifierChange,
};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;

use crate::grpc::convert;
use crate::grpc::rpc_runner::Asked;

const ACCESS_TOKEN: &str = "access_token";

impl TryFrom<Asked<'_, v1::ListIdentifiersRequest>> for ListIdentifiers {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ListIdentifiersRequest>) -> Result<Self, Error> {
        let mut fields = Fields::new();
        let token = asked.message.access_token;
        let access_token = convert::required(&mut fields, ACCESS_TOKEN, token);
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::AddIdentifierRequest>> for AddIdentifier {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::AddIdentifierRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let access_token = convert::required(&mut fields, ACCESS_TOKEN, message.access_token);
        let proof = fields.take("proof", Proof::parse(message.proof));
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
                proof: proof?,
                locale: call.locale,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::ChangeIdentifierRequest>> for ChangeIdentifier {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ChangeIdentifierRequest>) -> Result<Self, Error> {
        let Asked { message, call, app } = asked;
        let mut fields = Fields::new();
        let region = app.settings.region;
        let access_token = convert::required(&mut fields, ACCESS_TOKEN, message.access_token);
        let replaced = convert::address(&mut fields, "identifier", message.identifier, region);
        let proof = fields.take("proof", Proof::parse(message.proof));
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
                replaced: replaced?,
                proof: proof?,
                locale: call.locale,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::RemoveIdentifierRequest>> for RemoveIdentifier {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::RemoveIdentifierRequest>) -> Result<Self, Error> {
        let Asked { message, call, app } = asked;
        let mut fields = Fields::new();
        let region = app.settings.region;
        let access_token = convert::required(&mut fields, ACCESS_TOKEN, message.access_token);
        let address = convert::address(&mut fields, "identifier", message.identifier, region);
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
                address: address?,
                locale: call.locale,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::UndoIdentifierChangeRequest>> for UndoIdentifierChange {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::UndoIdentifierChangeRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let group = convert::group(&mut fields, "group_id", &message.group_id);
        let token = fields.take("undo_token", UndoToken::parse(&message.undo_token));
        fields.finish(|| {
            Some(Self {
                group: group?,
                token: token?,
                locale: call.locale,
            })
        })
    }
}
