//! FederationService's messages, each made the command that it asks for.

use countersign_domain::model::{
    FederatedCallback, ProviderId, ProviderNotification, ProviderSecret, SealedText,
};
use countersign_domain::use_cases::{
    AccountToLink, LinkFederatedIdentity, ListFederatedIdentities, ListProviders,
    ReceiveProviderNotification, UnlinkFederatedIdentity,
};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;
use countersign_proto::v1::link_federated_identity_request::Account;

use crate::grpc::convert;
use crate::grpc::rpc_runner::Asked;

const ACCESS_TOKEN: &str = "access_token";
/// The most bytes of a parameter of a callback, and of a header of a notification.
const LONGEST_PARAMETER: usize = 4096;
/// The most bytes of the body of a notification.
const LARGEST_NOTIFICATION: usize = 64 * 1024;

/// The name of a provider.
pub(in crate::grpc) fn provider(
    fields: &mut Fields,
    field: &str,
    text: &str,
) -> Option<ProviderId> {
    let rule = "must be a provider that ListProviders names";
    fields.take(field, ProviderId::parse(text).map_err(|_| rule))
}

/// What this server has handed out.
pub(in crate::grpc) fn sealed(
    fields: &mut Fields,
    field: &str,
    text: String,
) -> Option<SealedText> {
    fields.take(field, SealedText::parse(text))
}

/// What came back with a browser.
pub(in crate::grpc) fn callback(
    fields: &mut Fields,
    field: &str,
    message: v1::FederatedCallback,
) -> Option<FederatedCallback> {
    let name = |part: &str| format!("{field}.{part}");
    let sign_in = sealed(
        fields,
        &name("federated_sign_in"),
        message.federated_sign_in,
    );
    let Some(parameters) = message.callback else {
        fields.refuse(&name("callback"), "must be given");
        return None;
    };
    let mut given = |part: &str, text: String| {
        let field = name(&format!("callback.{part}"));
        let text = bounded(fields, &field, text);
        text.filter(|text| !text.is_empty())
    };
    let state = given("state", parameters.state);
    let code = given("code", parameters.code);
    let issuer = given("iss", parameters.iss);
    let error = given("error", parameters.error);
    let user = given("user", parameters.user);
    if state.is_none() {
        fields.refuse(&name("callback.state"), "must be given");
    }
    if code.is_none() && error.is_none() {
        fields.refuse(
            &name("callback.code"),
            "must be given, unless there is an error",
        );
    }
    Some(FederatedCallback {
        sign_in: sign_in?,
        state: state?,
        code: code.map(ProviderSecret::new),
        issuer,
        error,
        user,
    })
}

fn bounded(fields: &mut Fields, field: &str, text: String) -> Option<String> {
    let fits = text.len() <= LONGEST_PARAMETER;
    fields.take(
        field,
        fits.then_some(text).ok_or("must have at most 4096 bytes"),
    )
}

impl TryFrom<Asked<'_, v1::ListProvidersRequest>> for ListProviders {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ListProvidersRequest>) -> Result<Self, Error> {
        let mut fields = Fields::new();
        let group = convert::group(&mut fields, "group_id", &asked.message.group_id);
        fields.finish(|| Some(Self { group: group? }))
    }
}

impl TryFrom<Asked<'_, v1::ListFederatedIdentitiesRequest>> for ListFederatedIdentities {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ListFederatedIdentitiesRequest>) -> Result<Self, Error> {
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

impl TryFrom<Asked<'_, v1::LinkFederatedIdentityRequest>> for LinkFederatedIdentity {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::LinkFederatedIdentityRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let access_token = convert::required(&mut fields, ACCESS_TOKEN, message.access_token);
        let account = match message.account {
            Some(Account::Callback(message)) => callback(&mut fields, "callback", message)
                .map(|callback| AccountToLink::Callback(Box::new(callback))),
            Some(Account::FederationToken(text)) => {
                sealed(&mut fields, "federation_token", text).map(AccountToLink::Token)
            }
            None => {
                fields.refuse("account", "must be given: callback or federation_token");
                None
            }
        };
        convert::client(&mut fields, message.client_context);
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
                account: account?,
                client_id: call.caller.name.clone(),
                locale: call.locale,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::UnlinkFederatedIdentityRequest>> for UnlinkFederatedIdentity {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::UnlinkFederatedIdentityRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let access_token = convert::required(&mut fields, ACCESS_TOKEN, message.access_token);
        let id = message.federated_identity_id.parse();
        let id = fields.take("federated_identity_id", id);
        convert::client(&mut fields, message.client_context);
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
                id: id?,
                locale: call.locale,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::ReceiveProviderNotificationRequest>> for ReceiveProviderNotification {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ReceiveProviderNotificationRequest>) -> Result<Self, Error> {
        let message = asked.message;
        let mut fields = Fields::new();
        let provider = provider(&mut fields, "provider", &message.provider);
        let content_type = bounded(&mut fields, "content_type", message.content_type);
        let authorization = bounded(&mut fields, "authorization", message.authorization);
        let query = bounded(&mut fields, "query", message.query);
        let body = match message.body.len() {
            0..=LARGEST_NOTIFICATION => Ok(message.body),
            _ => Err("must have at most 65536 bytes"),
        };
        let body = fields.take("body", body);
        fields.finish(|| {
            Some(Self {
                provider: provider?,
                notification: ProviderNotification {
                    content_type: content_type?,
                    authorization: authorization?,
                    query: query?,
                    body: body?,
                },
            })
        })
    }
}
