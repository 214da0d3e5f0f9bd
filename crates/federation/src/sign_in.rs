//! Sign-ins with a provider: where the browser is sent, what becomes of the code that comes back,
//! and of ID tokens that apps have got by themselves.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_domain::model::{
    AuthorizationRequest, AuthorizationResponse, NativeIdToken, ProviderKind, ProviderSecret,
    ProviderSubject, ProviderUser, ResponseMode,
};

use crate::apple;
use crate::connection::{Connection, Purpose};
use crate::failure::Failure;
use crate::id_token::{self, Audience, Expected, Nonce};
use crate::json::Members;
use crate::jws::Jws;
use crate::metadata::Metadata;
use crate::naver;
use crate::profile::{self, Told};
use crate::token_endpoint::{Tokens, refusal};
use crate::userinfo;

/// How the provider sends the browser back. Apple posts as soon as a name or an address is asked for.
pub(crate) fn response_mode(kind: ProviderKind, scopes: &[String]) -> ResponseMode {
    let is_personal = |scope: &String| scope == "name" || scope == "email";
    match kind == ProviderKind::Apple && scopes.iter().any(is_personal) {
        true => ResponseMode::FormPost,
        false => ResponseMode::Query,
    }
}

/// Where a browser is sent.
///
/// # Errors
/// The reading's, of what the provider says of itself.
pub(crate) async fn authorization_url(
    provider: &Connection,
    request: &AuthorizationRequest,
) -> Result<String, Failure> {
    let metadata = provider.metadata().await?;
    let kind = provider.config.kind;
    let scopes = provider.config.scopes();
    let scope = scopes.join(" ");
    let hash = digest(&SHA256, request.code_verifier.expose().as_bytes());
    let challenge = URL_SAFE_NO_PAD.encode(hash);
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", provider.config.client_id.as_str()),
        ("redirect_uri", &request.redirect_uri),
        ("state", &request.state),
    ];
    if !scope.is_empty() {
        parameters.push(("scope", &scope));
    }
    if kind != ProviderKind::Naver {
        parameters.push(("nonce", &request.nonce));
    }
    if metadata.has_pkce {
        parameters.push(("code_challenge", &challenge));
        parameters.push(("code_challenge_method", "S256"));
    }
    if response_mode(kind, &scopes) == ResponseMode::FormPost {
        parameters.push(("response_mode", "form_post"));
    }
    if matches!(kind, ProviderKind::OpenIdConnect | ProviderKind::Google) {
        parameters.push(("ui_locales", request.locale.tag()));
    }
    Ok(metadata.authorization_endpoint.with_query(&parameters))
}

/// Exchanges a code for whom the provider has authenticated.
///
/// # Errors
/// Why there is nobody.
pub(crate) async fn exchange(
    provider: &Connection,
    response: &AuthorizationResponse,
) -> Result<ProviderUser, Failure> {
    let metadata = provider.metadata().await?;
    check_issuer(provider, &metadata, response.issuer.as_deref())?;
    let tokens = redeem(provider, &metadata, response).await?;
    if provider.config.kind == ProviderKind::Naver {
        return read_naver(provider, &metadata, &tokens).await;
    }
    let id_token = tokens.id_token.as_deref();
    let id_token = id_token.ok_or_else(|| Failure::rejected("there is no ID token"))?;
    let token = provider.verified(id_token, Purpose::SignIns).await?;
    let expected = Expected {
        issuers: &provider.issuers,
        audience: Audience::Client {
            id: &provider.config.client_id,
            apps: &provider.config.native_client_ids,
        },
        nonce: Nonce::Exactly(&response.nonce),
        now: provider.now(),
    };
    let subject = id_token::check(&token, &expected)?;
    let mut user = user(provider, subject, token.claims(), Told::InIdToken);
    fill_from_userinfo(provider, &metadata, &tokens, &token, &mut user).await?;
    if provider.config.kind == ProviderKind::Apple {
        user.name = apple_name(response.user.as_deref());
        user.refresh_token = tokens.refresh_token.map(ProviderSecret::new);
    }
    Ok(user)
}

/// Checks an ID token that an app has got by itself.
///
/// # Errors
/// Why it proves nobody.
pub(crate) async fn verify_id_token(
    provider: &Connection,
    native: &NativeIdToken,
) -> Result<ProviderUser, Failure> {
    if provider.config.kind == ProviderKind::Naver {
        return Err(Failure::rejected("Naver's apps have no ID tokens"));
    }
    if provider.config.native_client_ids.is_empty() {
        return Err(Failure::rejected("native_client_ids has no client"));
    }
    let token = provider
        .verified(native.id_token.expose(), Purpose::SignIns)
        .await?;
    let expected = Expected {
        issuers: &provider.issuers,
        audience: Audience::App {
            apps: &provider.config.native_client_ids,
            client: &provider.config.client_id,
        },
        nonce: Nonce::OfApp(native.nonce.as_deref()),
        now: provider.now(),
    };
    let subject = id_token::check(&token, &expected)?;
    let mut user = user(provider, subject, token.claims(), Told::InIdToken);
    if provider.config.kind == ProviderKind::Apple {
        user.name = apple_name(native.user.as_deref());
    }
    Ok(user)
}

/// Takes the consent back.
///
/// # Errors
/// Rejected where a provider has no such thing; and why it did not happen.
pub(crate) async fn revoke(provider: &Connection, refresh_token: &str) -> Result<(), Failure> {
    let metadata = provider.metadata().await?;
    let url = metadata.revocation_endpoint.as_ref();
    let url = url.ok_or_else(|| Failure::rejected("the provider revokes no refresh tokens"))?;
    let proof = provider.prove(&metadata)?;
    let mut parameters = vec![
        ("client_id", provider.config.client_id.as_str()),
        ("token", refresh_token),
        ("token_type_hint", "refresh_token"),
    ];
    if let Some(secret) = &proof.secret {
        parameters.push(("client_secret", secret));
    }
    let reply = provider
        .http
        .post(url, proof.authorization.as_deref(), &parameters)
        .await?;
    if reply.status.is_success() {
        return Ok(());
    }
    let secrets = [refresh_token, proof.secret.as_deref().unwrap_or_default()];
    Err(refusal(
        reply.status,
        Members::read(&reply.body).ok().as_ref(),
        &secrets,
    ))
}

/// `iss` came from whom the browser was sent to (RFC 9207, 2.4).
fn check_issuer(
    provider: &Connection,
    metadata: &Metadata,
    issuer: Option<&str>,
) -> Result<(), Failure> {
    match issuer {
        Some(issuer) if issuer != provider.issuer() => {
            Err(Failure::rejected("the answer is of another issuer"))
        }
        None if metadata.sends_issuer => Err(Failure::rejected("the answer names no issuer")),
        Some(_) | None => Ok(()),
    }
}

async fn redeem(
    provider: &Connection,
    metadata: &Metadata,
    response: &AuthorizationResponse,
) -> Result<Tokens, Failure> {
    let proof = provider.prove(metadata)?;
    let code = response.code.expose();
    let verifier = response.code_verifier.expose();
    let mut parameters = vec![
        ("grant_type", "authorization_code"),
        ("client_id", provider.config.client_id.as_str()),
        ("code", code),
        ("redirect_uri", &response.redirect_uri),
    ];
    if metadata.has_pkce {
        parameters.push(("code_verifier", verifier));
    }
    if provider.config.kind == ProviderKind::Naver {
        parameters.push(("state", &response.state));
    }
    if let Some(secret) = &proof.secret {
        parameters.push(("client_secret", secret));
    }
    let url = &metadata.token_endpoint;
    let reply = provider
        .http
        .post(url, proof.authorization.as_deref(), &parameters)
        .await?;
    let own = provider.secret.exposed();
    let made = proof.secret.as_deref().unwrap_or_default();
    Tokens::read(
        &reply,
        &[code, verifier, own, made, &response.state, &response.nonce],
    )
}

async fn read_naver(
    provider: &Connection,
    metadata: &Metadata,
    tokens: &Tokens,
) -> Result<ProviderUser, Failure> {
    let of_profile = |failure: Failure| failure.during("the profile");
    let access_token = tokens.access_token.as_deref();
    let access_token = access_token.ok_or_else(|| Failure::rejected("there is no access token"))?;
    let url = metadata.userinfo_endpoint.as_ref();
    let url = url.ok_or_else(|| Failure::rejected("there is no profile"))?;
    let reply = provider.http.get(url, Some(access_token)).await?;
    let profile = userinfo::object(&reply).map_err(of_profile)?;
    let (subject, person) = naver::read(&profile).map_err(of_profile)?;
    Ok(user(provider, subject, &person, Told::ByUserinfo))
}

/// Asks for an address that was asked for and is not in the ID token.
async fn fill_from_userinfo(
    provider: &Connection,
    metadata: &Metadata,
    tokens: &Tokens,
    token: &Jws,
    user: &mut ProviderUser,
) -> Result<(), Failure> {
    let is_email = |scope: &String| scope == "email" || scope == "account_email";
    let is_asked_for = provider.config.scopes().iter().any(is_email);
    if token.claims().has("email") || !is_asked_for {
        return Ok(());
    }
    let (Some(url), Some(access_token)) = (&metadata.userinfo_endpoint, &tokens.access_token)
    else {
        return Ok(());
    };
    let subject = user.subject.subject.as_str();
    let told = userinfo::read(&provider.http, url, access_token, subject).await?;
    let (kind, trust_email) = (provider.config.kind, provider.config.trust_email);
    user.email = profile::email(kind, trust_email, &told, Told::ByUserinfo);
    user.name = user.name.take().or_else(|| profile::name(&told));
    user.locale = user.locale.or_else(|| profile::locale(&told));
    Ok(())
}

fn user(provider: &Connection, subject: String, claims: &Members, told: Told) -> ProviderUser {
    let (kind, trust_email) = (provider.config.kind, provider.config.trust_email);
    ProviderUser {
        subject: ProviderSubject {
            issuer: provider.issuer().to_owned(),
            subject,
        },
        email: profile::email(kind, trust_email, claims, told),
        name: profile::name(claims),
        locale: profile::locale(claims),
        refresh_token: None,
    }
}

fn apple_name(user: Option<&str>) -> Option<String> {
    profile::shown_name(&apple::name(user?)?)
}
