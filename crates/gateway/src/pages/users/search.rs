//! One page of the users that an operator looks for. Never more than a page is asked for, however many there are.

use std::collections::HashSet;

use countersign_client::proto::{ListUsersRequest, User, UserOrder, UserState};
use serde::Deserialize;

use super::kinds::{is_user_id, prefixes};
use super::operator::Operator;
use crate::pages::visitor::Visitor;
use crate::problem::Problem;
use crate::url::query;

/// How many users are on a page.
const PAGE_SIZE: usize = 12;

/// What the form of the list holds, and the page.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// The beginning of an identifier, or an id.
    pub(super) q: String,
    pub(super) state: String,
    pub(super) group: String,
    pub(super) role: String,
    pub(super) order: String,
    /// Where the page starts: which kind of identifier, and the token of the service.
    pub(super) page: String,
}

/// A page of users.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) users: Vec<User>,
    /// What [`Asked::page`] is on the next page; empty on the last.
    pub(super) next_page: String,
}

impl Asked {
    /// Whether users are looked for by what they sign in with. Then there is one order, and no role.
    pub(super) fn by_identifier(&self) -> bool {
        !self.q.trim().is_empty()
    }

    /// The address of the same list from that place on.
    pub(super) fn path(&self, page: &str) -> String {
        let fields = [
            ("q", self.q.as_str()),
            ("state", &self.state),
            ("group", &self.group),
            ("role", &self.role),
            ("order", &self.order),
            ("page", page),
        ];
        let given = fields.iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<String> = given.map(|(name, value)| query(name, value)).collect();
        match pairs.is_empty() {
            true => "/users".to_owned(),
            false => format!("/users?{}", pairs.join("&")),
        }
    }

    /// The requests that answer it one after the other; the group where none is named.
    fn requests(&self, own_group: &str) -> Vec<ListUsersRequest> {
        let state = match self.state.as_str() {
            "pending" => UserState::Pending,
            "active" => UserState::Active,
            "suspended" => UserState::Suspended,
            "withdrawn" => UserState::Withdrawn,
            "erased" => UserState::Erased,
            _ => UserState::Unspecified,
        };
        let request = ListUsersRequest {
            group_id: self.group.trim().to_owned(),
            state: state.into(),
            ..ListUsersRequest::default()
        };
        if !self.by_identifier() {
            let order = match self.order.as_str() {
                "oldest" => UserOrder::OldestFirst,
                _ => UserOrder::NewestFirst,
            };
            return vec![ListUsersRequest {
                role: self.role.trim().to_owned(),
                order: order.into(),
                ..request
            }];
        }
        let group = match request.group_id.as_str() {
            "" => own_group.to_owned(),
            group => group.to_owned(),
        };
        let prefixes = prefixes(&self.q).into_iter();
        let requests = prefixes.map(|prefix| ListUsersRequest {
            group_id: group.clone(),
            identifier_prefix: Some(prefix),
            ..request.clone()
        });
        requests.collect()
    }

    /// The page.
    ///
    /// # Errors
    /// What the service says.
    pub(super) async fn find(
        &self,
        operator: &Operator,
        visitor: &Visitor,
    ) -> Result<Found, Problem> {
        if is_user_id(&self.q) {
            return self.find_by_id(operator, visitor).await;
        }
        let (start, mut token) = place(&self.page);
        let mut found = Found::default();
        let requests = self.requests(&visitor.state.settings.group_id);
        let mut requests = requests.into_iter().enumerate().skip(start);
        while let Some((index, request)) = requests.next() {
            let left = PAGE_SIZE - found.users.len();
            let request = ListUsersRequest {
                page_size: i32::try_from(left).unwrap_or(1),
                page_token: std::mem::take(&mut token),
                ..request
            };
            let request = operator.request(visitor, request);
            let answer = match operator.client().users().list_users(request).await {
                Ok(answer) => answer.into_inner(),
                Err(status) => match Problem::from(status) {
                    // What no identifier begins with is nobody's.
                    problem if is_of_prefix(&problem) => continue,
                    problem => return Err(problem),
                },
            };
            found.users.extend(answer.users);
            if !answer.next_page_token.is_empty() {
                found.next_page = format!("{index}.{}", answer.next_page_token);
                break;
            }
            if found.users.len() >= PAGE_SIZE {
                let next = requests.next();
                found.next_page = next.map_or_else(String::new, |(index, _)| format!("{index}."));
                break;
            }
        }
        // Somebody with two addresses of this beginning is there once.
        let mut seen = HashSet::new();
        found.users.retain(|user| seen.insert(user.user_id.clone()));
        Ok(found)
    }

    async fn find_by_id(&self, operator: &Operator, visitor: &Visitor) -> Result<Found, Problem> {
        let users = match operator.user(visitor, self.q.trim()).await {
            Ok(user) => vec![user],
            Err(problem) if problem.is_for_page() => vec![],
            Err(problem) => return Err(problem),
        };
        Ok(Found {
            users,
            next_page: String::new(),
        })
    }
}

/// The request with which a page begins, and the token for it.
fn place(page: &str) -> (usize, String) {
    let parts = page.split_once('.');
    let place = parts.and_then(|(index, token)| Some((index.parse().ok()?, token.to_owned())));
    place.unwrap_or_default()
}

fn is_of_prefix(problem: &Problem) -> bool {
    let mut violations = problem.violations.iter();
    problem.reason == "FIELD_INVALID"
        && !problem.violations.is_empty()
        && violations.all(|violation| violation.field.starts_with("identifier_prefix"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_goes_by_identifiers_of_one_group() {
        let asked = Asked {
            q: "min".to_owned(),
            role: "admin".to_owned(),
            order: "oldest".to_owned(),
            state: "active".to_owned(),
            ..Asked::default()
        };
        let requests = asked.requests("default");
        assert_eq!(requests.len(), 2);
        for request in requests {
            assert_eq!(request.group_id, "default");
            assert_eq!(request.state(), UserState::Active);
            assert_eq!(request.role, "");
            assert_eq!(request.order(), UserOrder::Unspecified);
            assert!(request.identifier_prefix.is_some());
        }
    }

    #[test]
    fn a_list_goes_over_all_groups_in_the_order_of_creation() {
        let asked = Asked {
            role: " admin ".to_owned(),
            order: "oldest".to_owned(),
            state: "nonsense".to_owned(),
            ..Asked::default()
        };
        let requests = asked.requests("default");
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].group_id, "");
        assert_eq!(requests[0].role, "admin");
        assert_eq!(requests[0].order(), UserOrder::OldestFirst);
        assert_eq!(requests[0].state(), UserState::Unspecified);
    }

    #[test]
    fn a_page_is_named_by_the_kind_and_the_token() {
        assert_eq!(place(""), (0, String::new()));
        assert_eq!(place("nonsense"), (0, String::new()));
        assert_eq!(place("1.a.b"), (1, "a.b".to_owned()));
        let asked = Asked {
            q: "a&b".to_owned(),
            ..Asked::default()
        };
        assert_eq!(asked.path("1.x"), "/users?q=a%26b&page=1.x");
        assert_eq!(Asked::default().path(""), "/users");
    }
}
