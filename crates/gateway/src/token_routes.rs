//! `/token/pair`, `/token/refresh`, `/token/verify`, `/token/mfa` and `/token/revoke`: tokens for apps and for the
//! clients of an authserver, which know these names.

use axum::extract::State as Shared;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use countersign_client::proto::issue_tokens_request::Grant;
use countersign_client::proto::issue_tokens_response::Outcome;
use countersign_client::proto::{
    FactorKind, IssueTokensRequest, MfaRequired, PasswordGrant, RefreshTokensRequest,
    RevokeTokenRequest, ValidateMfaSessionRequest,
};
use countersign_client::{Requirement, VerifyToken as _};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::claims_json::claims_json;
use crate::context::Context;
use crate::input::{Either, JsonBody};
use crate::problem::Problem;
use crate::state::State;
use crate::tokens::{TokenPair, identifier};

/// The routes.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/token/pair", post(pair))
        .route("/token/mfa", post(mfa))
        .route("/token/refresh", post(refresh))
        .route("/token/verify", post(verify))
        .route("/token/revoke", post(revoke))
}

/// Somebody signs in with a password.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PairRequest {
    /// An e-mail address, a phone number or a user name.
    #[serde(alias = "email", alias = "phone", alias = "username")]
    identifier: String,
    password: String,
    group_id: Option<String>,
    audience: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    device_token: Option<String>,
}

/// The same as OAuth's clients send it (RFC 6749, section 4.3.2); what else they send is passed over.
#[derive(Debug, Deserialize)]
pub(crate) struct PairForm {
    pub(crate) grant_type: Option<String>,
    pub(crate) username: String,
    pub(crate) password: String,
    #[serde(default)]
    pub(crate) scope: String,
    pub(crate) group_id: Option<String>,
}

impl TryFrom<PairForm> for PairRequest {
    type Error = Problem;

    fn try_from(form: PairForm) -> Result<Self, Problem> {
        if form.grant_type.is_some_and(|grant| grant != "password") {
            return Err(Problem::field("grant_type", "must be password"));
        }
        Ok(Self {
            identifier: form.username,
            password: form.password,
            group_id: form.group_id,
            audience: None,
            scopes: form.scope.split_whitespace().map(str::to_owned).collect(),
            device_token: None,
        })
    }
}

async fn pair(
    Shared(state): Shared<State>,
    context: Context,
    body: Result<Either<PairRequest, PairForm>, Problem>,
) -> Response {
    let request = match body {
        Ok(Either::Json(request)) => Ok(request),
        Ok(Either::Form(form)) => PairRequest::try_from(form),
        Err(problem) => Err(problem),
    };
    let request = match request {
        Ok(request) => request,
        Err(problem) => return state.answer::<TokenPair>(None, Err(problem)),
    };
    let group = state.group(request.group_id.clone());
    let answer = issue(&state, &context, request).await;
    state.answer(Some(&group), answer)
}

/// The tokens for a password.
pub(crate) async fn issue(
    state: &State,
    context: &Context,
    request: PairRequest,
) -> Result<TokenPair, Problem> {
    let message = IssueTokensRequest {
        group_id: state.group(request.group_id),
        grant: Some(Grant::Password(PasswordGrant {
            identifier: Some(identifier(&request.identifier)),
            password: request.password,
        })),
        audience: request.audience.unwrap_or_default(),
        scopes: request.scopes,
        client_context: context.client(),
        device_token: request.device_token,
    };
    let mut auth = state.client.auth();
    let answer = auth.issue_tokens(context.request(message)).await?;
    let answer = answer.into_inner();
    match answer.outcome {
        Some(Outcome::Tokens(tokens)) => TokenPair::new(Some(tokens), answer.device_token),
        Some(Outcome::MfaRequired(required)) => Err(mfa_required(required)),
        Some(Outcome::ServiceAccountToken(_) | Outcome::FederatedAccount(_)) | None => {
            Err(Problem::incomplete("outcome"))
        }
    }
}

/// The password was right, and something else must be shown: see `/token/mfa`.
fn mfa_required(required: MfaRequired) -> Problem {
    let kind_name = |kind: FactorKind| {
        let name = kind.as_str_name();
        name.strip_prefix("FACTOR_KIND_").unwrap_or(name)
    };
    let factors = required.factors().map(kind_name);
    let factors = factors.map(Value::from).collect();
    let code_factors = required.code_factors.iter().map(|factor| {
        json!({
            "factor_id": factor.factor_id,
            "kind": kind_name(factor.kind()),
            "address": factor.masked_address,
        })
    });
    let code_factors = code_factors.collect();
    let detail = "a second factor is required: send its code to /token/mfa";
    let mut problem = Problem::new(StatusCode::FORBIDDEN, "MFA_REQUIRED", detail);
    let members = &mut problem.members;
    members.insert("mfa_session_id".into(), required.mfa_session_id.into());
    members.insert("factors".into(), factors);
    members.insert("code_factors".into(), code_factors);
    problem
}

/// Somebody shows a second factor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MfaRequest {
    mfa_session_id: String,
    code: String,
    group_id: Option<String>,
    #[serde(default)]
    remember_device: bool,
}

async fn mfa(
    Shared(state): Shared<State>,
    context: Context,
    body: Result<JsonBody<MfaRequest>, Problem>,
) -> Response {
    let JsonBody(request) = match body {
        Ok(request) => request,
        Err(problem) => return state.answer::<TokenPair>(None, Err(problem)),
    };
    let group_id = state.group(request.group_id);
    let message = ValidateMfaSessionRequest {
        group_id: group_id.clone(),
        mfa_session_id: request.mfa_session_id,
        code: request.code,
        remember_device: request.remember_device,
        credential: String::new(),
    };
    let mut sessions = state.client.sessions();
    let answer = sessions.validate_mfa_session(context.request(message));
    let answer = answer.await.map_err(Problem::from).and_then(|answer| {
        let answer = answer.into_inner();
        TokenPair::new(answer.tokens, answer.device_token)
    });
    state.answer(Some(&group_id), answer)
}

/// A refresh token is exchanged.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RefreshRequest {
    #[serde(alias = "refresh")]
    refresh_token: String,
    group_id: Option<String>,
}

/// The same as OAuth's clients send it (RFC 6749, section 6).
#[derive(Debug, Deserialize)]
struct RefreshForm {
    grant_type: Option<String>,
    refresh_token: String,
}

async fn refresh(
    Shared(state): Shared<State>,
    context: Context,
    body: Result<Either<RefreshRequest, RefreshForm>, Problem>,
) -> Response {
    let (refresh_token, group) = match body {
        Ok(Either::Json(request)) => (request.refresh_token, request.group_id),
        Ok(Either::Form(form)) => {
            if form
                .grant_type
                .is_some_and(|grant| grant != "refresh_token")
            {
                let problem = Problem::field("grant_type", "must be refresh_token");
                return state.answer::<TokenPair>(None, Err(problem));
            }
            (form.refresh_token, None)
        }
        Err(problem) => return state.answer::<TokenPair>(None, Err(problem)),
    };
    let group = state.group(group);
    let answer = exchange(&state, &context, refresh_token).await;
    state.answer(Some(&group), answer)
}

/// The tokens for a refresh token.
pub(crate) async fn exchange(
    state: &State,
    context: &Context,
    refresh_token: String,
) -> Result<TokenPair, Problem> {
    let message = RefreshTokensRequest {
        refresh_token,
        client_context: context.client(),
    };
    let mut auth = state.client.auth();
    let answer = auth.refresh_tokens(context.request(message)).await?;
    TokenPair::new(answer.into_inner().tokens, String::new())
}

/// Somebody asks about an access token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifyRequest {
    #[serde(alias = "access_token")]
    token: String,
    group_id: Option<String>,
    audience: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
}

async fn verify(
    Shared(state): Shared<State>,
    body: Result<JsonBody<VerifyRequest>, Problem>,
) -> Response {
    let JsonBody(request) = match body {
        Ok(request) => request,
        Err(problem) => return state.answer::<()>(None, Err(problem)),
    };
    let mut requirement = Requirement::new();
    if let Some(audience) = request.audience {
        requirement = requirement.with_audience(audience);
    }
    for scope in request.scopes {
        requirement = requirement.with_scope(scope);
    }
    let group = state.group(request.group_id);
    let verdict = state.verifier.verify(&request.token, &requirement).await;
    let answer = verdict
        .map(|identity| claims_json(&identity))
        .map_err(Problem::from);
    state.answer(Some(&group), answer)
}

/// Somebody signs out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokeRequest {
    #[serde(alias = "refresh_token", alias = "access_token")]
    token: String,
    group_id: Option<String>,
}

async fn revoke(
    Shared(state): Shared<State>,
    context: Context,
    body: Result<JsonBody<RevokeRequest>, Problem>,
) -> Response {
    let JsonBody(request) = match body {
        Ok(request) => request,
        Err(problem) => return state.answer::<()>(None, Err(problem)),
    };
    let group = state.group(request.group_id);
    let message = RevokeTokenRequest {
        token: request.token,
    };
    let answer = state
        .client
        .auth()
        .revoke_token(context.request(message))
        .await;
    let answer = answer.map(|_| json!({})).map_err(Problem::from);
    state.answer(Some(&group), answer)
}

impl State {
    /// The answer in the form that the group's clients expect.
    fn answer<T: serde::Serialize>(
        &self,
        group: Option<&str>,
        answer: Result<T, Problem>,
    ) -> Response {
        let problem = match answer {
            Ok(answer) => return Json(answer).into_response(),
            Err(problem) => problem,
        };
        let group = group.unwrap_or(&self.settings.group_id);
        let groups = &self.settings.code_and_message_groups;
        if groups.iter().any(|other| other == group) {
            return problem.into_code_and_message();
        }
        problem.into_response()
    }
}
