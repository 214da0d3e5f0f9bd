//! Who looks after users: a person whose access token has the role, and whom the service knows with it, asked anew for
//! each page.

use std::time::{Duration, UNIX_EPOCH};

use countersign_client::proto::{GetUserRequest, User};
use countersign_client::{
    Acr, Client, Clock as _, Identity, Requirement, SystemClock, ValidateError, VerifyToken as _,
};
use http::StatusCode;
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};

use crate::pages::errors::Errors;
use crate::pages::member::Member;
use crate::pages::page::{Page, SignedIn};
use crate::pages::visitor::Visitor;
use crate::problem::Problem;

/// How long ago an operator may have been authenticated who changes somebody: as people who change their addresses.
const RECENT: Duration = Duration::from_secs(10 * 60);
const REQUEST_ID: &str = "x-request-id";
const REQUEST_ID_PREFIX: &str = "op-";
const USER_ID_LENGTH: usize = 36;

/// A person who may look after users.
#[derive(Debug)]
pub(super) struct Operator {
    member: Member,
    claims: Identity,
    role: String,
    client: Client,
    request_id: Option<MetadataValue<Ascii>>,
}

impl Operator {
    /// The visitor, if it is one.
    ///
    /// # Errors
    /// If it is not signed in, or if nobody can tell. Whoever may not finds nothing here.
    pub(super) async fn of(visitor: &Visitor) -> Result<Self, Problem> {
        let operators = visitor.state.settings.operators.as_ref();
        let operators = operators.ok_or_else(nothing_here)?;
        let member = Member::of(visitor).await?;
        let token = member.access_token.as_str();
        let client = &visitor.state.client;
        let claims = client.verify(token, &Requirement::new()).await?;
        // A role of that name in another group is given by whoever looks after that group's people.
        let is_of_group = claims.group_id == visitor.state.settings.group_id;
        if claims.is_service_account || !is_of_group || !claims.has_role(&operators.role) {
            return Err(nothing_here());
        }
        let operator = Self {
            request_id: request_id(&claims.user_id),
            role: operators.role.clone(),
            client: operators.client.clone(),
            member,
            claims,
        };
        // A token tells of a role until it expires; the service knows whom it was taken from.
        let own = operator.user(visitor, &operator.claims.user_id).await?;
        if own.roles.contains(&operator.role) {
            Ok(operator)
        } else {
            Err(nothing_here())
        }
    }

    /// Makes sure that the person has been authenticated lately, with a second factor where there is one.
    ///
    /// # Errors
    /// AUTHENTICATION_TOO_OLD or SECOND_FACTOR_REQUIRED if not; others if nobody can tell.
    pub(super) async fn confirmed(&self, visitor: &Visitor) -> Result<(), Problem> {
        let requirement = Requirement::new().with_max_authentication_age(RECENT);
        let token = self.member.access_token.as_str();
        let refused = |reason| {
            let detail = visitor.words.reauthenticate_lead;
            Problem::new(StatusCode::BAD_REQUEST, reason, detail)
        };
        match visitor.state.client.verify(token, &requirement).await {
            Ok(_) => {}
            Err(ValidateError::InsufficientAuthentication(_)) => {
                return Err(refused("AUTHENTICATION_TOO_OLD"));
            }
            Err(error) => return Err(error.into()),
        }
        if self.claims.has_acr(Acr::Aal2) {
            return Ok(());
        }
        let enrolled = self.member.factors(visitor).await?;
        if enrolled.factors.is_empty() && enrolled.unreadable_factors == 0 {
            return Ok(());
        }
        Err(refused("SECOND_FACTOR_REQUIRED"))
    }

    /// A user.
    ///
    /// # Errors
    /// If there is none with this id, or if nobody can tell.
    pub(super) async fn user(&self, visitor: &Visitor, user_id: &str) -> Result<User, Problem> {
        let message = GetUserRequest {
            user_id: user_id.to_owned(),
        };
        let request = self.request(visitor, message);
        match self.client.users().get_user(request).await {
            Ok(answer) => {
                let user = answer.into_inner().user;
                user.ok_or_else(|| Problem::incomplete("user"))
            }
            Err(status) => Err(match Problem::from(status) {
                // What is no id is nobody's.
                problem if problem.is_for_page() => nothing_here(),
                problem => problem,
            }),
        }
    }

    /// The way to the service in the role of an operator.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// A request to the service. Its id names the person: the contract has no other place for who acts behind a caller,
    /// and the audit log keeps it.
    pub(super) fn request<T>(&self, visitor: &Visitor, message: T) -> Request<T> {
        let mut request = visitor.context.request(message);
        if let Some(id) = &self.request_id {
            request.metadata_mut().insert(REQUEST_ID, id.clone());
        }
        request
    }

    /// Whether it is the operator's own account.
    pub(super) fn is_self(&self, user: &User) -> bool {
        self.claims.user_id == user.user_id
    }

    /// The role by which people are operators.
    pub(super) fn role(&self) -> &str {
        &self.role
    }

    /// What every page has.
    pub(super) fn page(&self, visitor: &Visitor, errors: Errors) -> Page {
        Page {
            signed_in: Some(SignedIn {
                name: self.member.name().to_owned(),
                operator: true,
            }),
            ..visitor.page(errors)
        }
    }
}

/// As if there were no such page.
pub(super) fn nothing_here() -> Problem {
    let detail = "there is nothing at this path";
    Problem::new(StatusCode::NOT_FOUND, "PATH_UNKNOWN", detail)
}

/// An id that tells requests apart by the nanosecond, within what the service takes of one.
fn request_id(user_id: &str) -> Option<MetadataValue<Ascii>> {
    let now = SystemClock.now().duration_since(UNIX_EPOCH).ok()?;
    let id = format!("{REQUEST_ID_PREFIX}{user_id}-{:x}", now.as_nanos());
    id.parse().ok()
}

/// The operator whom the id of a request names.
pub(super) fn named_by(request_id: &str) -> Option<&str> {
    let (user_id, rest) = request_id
        .strip_prefix(REQUEST_ID_PREFIX)?
        .split_at_checked(USER_ID_LENGTH)?;
    let is_id = user_id
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    (is_id && rest.starts_with('-')).then_some(user_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_request_names_the_operator_within_what_the_service_takes() {
        let user_id = "01900000-0000-7000-8000-000000000001";
        let id = request_id(user_id).unwrap();
        let text = id.to_str().unwrap();
        assert!(text.len() <= 64, "{text}");
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        assert_eq!(named_by(text), Some(user_id));
        for other in [
            "",
            "op-",
            "op-01900000",
            "abcdefgh",
            "op-<script>alert(1)</script>aaaaaaaaaaaa-1",
        ] {
            assert_eq!(named_by(other), None, "{other}");
        }
    }
}
