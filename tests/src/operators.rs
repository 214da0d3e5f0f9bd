//! What operators ask about users, and what a person asks of its profile.

use countersign_proto::v1;
use tonic::Status;

use crate::gateway::Gateway;

impl Gateway {
    /// Shows a user.
    ///
    /// # Errors
    /// The server's.
    pub async fn user(&self, id: &str) -> Result<v1::User, Status> {
        let request = v1::GetUserRequest { user_id: id.into() };
        there(self.users().get_user(request).await?.into_inner().user)
    }

    /// Adds a user.
    ///
    /// # Errors
    /// The server's.
    pub async fn create_user(&self, request: v1::CreateUserRequest) -> Result<v1::User, Status> {
        there(self.users().create_user(request).await?.into_inner().user)
    }

    /// Changes a user.
    ///
    /// # Errors
    /// The server's.
    pub async fn update_user(&self, request: v1::UpdateUserRequest) -> Result<v1::User, Status> {
        there(self.users().update_user(request).await?.into_inner().user)
    }

    /// Suspends a user for good.
    ///
    /// # Errors
    /// The server's.
    pub async fn suspend(&self, id: &str, reason: &str) -> Result<v1::User, Status> {
        self.suspend_until(id, reason, None).await
    }

    /// Suspends a user, perhaps until a time.
    ///
    /// # Errors
    /// The server's.
    pub async fn suspend_until(
        &self,
        id: &str,
        reason: &str,
        until: Option<prost_types::Timestamp>,
    ) -> Result<v1::User, Status> {
        let request = v1::SuspendUserRequest {
            user_id: id.into(),
            etag: String::new(),
            reason: reason.into(),
            end_time: until,
        };
        there(self.users().suspend_user(request).await?.into_inner().user)
    }

    /// Reinstates a user.
    ///
    /// # Errors
    /// The server's.
    pub async fn reinstate(&self, id: &str) -> Result<v1::User, Status> {
        let request = v1::ReinstateUserRequest {
            user_id: id.into(),
            etag: String::new(),
        };
        let reinstated = self.users().reinstate_user(request).await?;
        there(reinstated.into_inner().user)
    }

    /// Withdraws a user.
    ///
    /// # Errors
    /// The server's.
    pub async fn withdraw(&self, id: &str) -> Result<v1::User, Status> {
        let request = v1::WithdrawUserRequest {
            user_id: id.into(),
            etag: String::new(),
        };
        there(self.users().withdraw_user(request).await?.into_inner().user)
    }

    /// Deletes a user.
    ///
    /// # Errors
    /// The server's.
    pub async fn delete_user(&self, id: &str) -> Result<(), Status> {
        let request = v1::DeleteUserRequest {
            user_id: id.into(),
            etag: String::new(),
        };
        self.users().delete_user(request).await.map(drop)
    }

    /// A page of users.
    ///
    /// # Errors
    /// The server's.
    pub async fn page_of_users(
        &self,
        request: v1::ListUsersRequest,
    ) -> Result<v1::ListUsersResponse, Status> {
        Ok(self.users().list_users(request).await?.into_inner())
    }

    /// The ids of all users of a query, page by page.
    ///
    /// # Errors
    /// The server's.
    pub async fn list_users(&self, query: &v1::ListUsersRequest) -> Result<Vec<String>, Status> {
        let (mut ids, mut request) = (Vec::new(), query.clone());
        loop {
            let page = self.page_of_users(request.clone()).await?;
            ids.extend(page.users.into_iter().map(|user| user.user_id));
            if page.next_page_token.is_empty() {
                return Ok(ids);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// The profile behind an access token.
    ///
    /// # Errors
    /// The server's.
    pub async fn profile(&self, tokens: &v1::Tokens) -> Result<v1::GetProfileResponse, Status> {
        let request = v1::GetProfileRequest {
            access_token: tokens.access_token.clone(),
        };
        Ok(self.users().get_profile(request).await?.into_inner())
    }

    /// Lets the person behind an access token leave.
    ///
    /// # Errors
    /// The server's.
    pub async fn leave(&self, tokens: &v1::Tokens) -> Result<(), Status> {
        let request = v1::WithdrawProfileRequest {
            access_token: tokens.access_token.clone(),
        };
        self.users().withdraw_profile(request).await.map(drop)
    }
}

fn there(user: Option<v1::User>) -> Result<v1::User, Status> {
    user.ok_or_else(|| Status::internal("no user"))
}
