//! Somebody who is signed in, as the service says.

use countersign_client::proto::{
    GetProfileRequest, GetProfileResponse, ListFactorsRequest, ListFactorsResponse, Profile,
};

use super::visitor::Visitor;
use crate::problem::Problem;

/// A person who is signed in.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) access_token: String,
    pub(super) profile: Profile,
    pub(super) etag: String,
}

impl Member {
    /// The visitor, if it is signed in.
    ///
    /// # Errors
    /// If it is not, or if nobody can tell.
    pub(super) async fn of(visitor: &Visitor) -> Result<Self, Problem> {
        let access_token = visitor.access_token.clone().ok_or_else(Problem::no_token)?;
        let message = GetProfileRequest {
            access_token: access_token.clone(),
        };
        let mut users = visitor.state.client.users();
        let answer = users.get_profile(visitor.context.request(message)).await?;
        let GetProfileResponse { profile, etag } = answer.into_inner();
        Ok(Self {
            access_token,
            profile: profile.unwrap_or_default(),
            etag,
        })
    }

    /// The factors, as the service has them.
    ///
    /// # Errors
    /// If nobody can tell.
    pub(super) async fn factors(&self, visitor: &Visitor) -> Result<ListFactorsResponse, Problem> {
        let message = ListFactorsRequest {
            access_token: self.access_token.clone(),
        };
        let mut factors = visitor.state.client.factors();
        let answer = factors
            .list_factors(visitor.context.request(message))
            .await?;
        Ok(answer.into_inner())
    }

    /// What it is called in the masthead; empty if it has not said.
    pub(super) fn name(&self) -> &str {
        &self.profile.name
    }
}
