//! IssueTokens' message: who signs in by it, a person or a service account.

use countersign_domain::application::GroupRules;
use countersign_domain::model::ServiceAccountSecret;
use countersign_domain::use_cases::{IssueServiceAccountToken, IssueTokens, ServiceAccountProof};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;
use countersign_proto::v1::issue_tokens_request::Grant;
use countersign_proto::v1::service_account_grant::Credential;
use countersign_token::MAX_TOKEN_BYTES;

use crate::grpc::convert;
use crate::grpc::rpc_runner::Asked;

/// Who signs in.
pub(super) enum SignIn {
    Person(Box<IssueTokens>),
    ServiceAccount(IssueServiceAccountToken),
}

impl TryFrom<Asked<'_, v1::IssueTokensRequest>> for SignIn {
    type Error = Error;

    fn try_from(mut asked: Asked<'_, v1::IssueTokensRequest>) -> Result<Self, Error> {
        match asked.message.grant.take() {
            Some(Grant::ServiceAccount(grant)) => {
                service_account(asked, grant).map(Self::ServiceAccount)
            }
            grant => {
                asked.message.grant = grant;
                IssueTokens::try_from(asked).map(|issue| Self::Person(Box::new(issue)))
            }
        }
    }
}

fn service_account(
    asked: Asked<'_, v1::IssueTokensRequest>,
    grant: v1::ServiceAccountGrant,
) -> Result<IssueServiceAccountToken, Error> {
    let Asked { message, app, .. } = asked;
    let mut fields = Fields::new();
    let rules = convert::group_rules(&mut fields, "group_id", &message.group_id, app)?;
    let id = fields.take(
        "service_account.service_account_id",
        grant.service_account_id.parse(),
    );
    let proof = proof(&mut fields, grant.credential);
    let audience = audience(&mut fields, &message.audience, &rules);
    let scopes = convert::scopes(&mut fields, &message.scopes, &rules);
    let client = convert::client(&mut fields, message.client_context);
    if message.device_token.is_some() {
        let rule = "must not be given with service_account, which has no devices";
        fields.refuse("device_token", rule);
    }
    fields.finish(|| {
        Some(IssueServiceAccountToken {
            group: rules.id().clone(),
            id: id?,
            proof: proof?,
            audience,
            scopes,
            client: client?,
        })
    })
}

fn proof(fields: &mut Fields, message: Option<Credential>) -> Option<ServiceAccountProof> {
    match message {
        Some(Credential::Secret(text)) => fields
            .take("service_account.secret", ServiceAccountSecret::shown(text))
            .map(ServiceAccountProof::Secret),
        Some(Credential::ClientAssertion(text)) => {
            let assertion = match text.len() {
                1..=MAX_TOKEN_BYTES => Ok(text),
                _ => Err("must be a JWT of at most 8192 bytes"),
            };
            fields
                .take("service_account.client_assertion", assertion)
                .map(ServiceAccountProof::Assertion)
        }
        None => {
            let rule = "must have a secret or a client_assertion";
            fields.refuse("service_account.credential", rule);
            None
        }
    }
}

/// The audience that is asked for, if one is; the account's own are looked at later.
fn audience(fields: &mut Fields, wanted: &str, rules: &GroupRules) -> Option<String> {
    match wanted {
        "" => None,
        text => fields.take("audience", rules.offered_audience(text)),
    }
}
