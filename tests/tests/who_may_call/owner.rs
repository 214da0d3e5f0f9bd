//! Somebody with an account, and the things that can be asked about.

use std::sync::Arc;

use countersign_proto::v1;
use countersign_tests::{Authenticator, Gateway, PASSWORD, Person, World, email};
use tokio::sync::OnceCell;

/// The code of a gateway's own.
pub(crate) const CODE: &str = "135790";

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Owner {
    pub(crate) group: &'static str,
    pub(crate) password: &'static str,
    pub(crate) person: Person,
    pub(crate) tokens: v1::Tokens,
    factors: Arc<Factors>,
}

#[derive(Default)]
struct Factors {
    app: OnceCell<String>,
    address: OnceCell<String>,
}

impl Owner {
    /// Somebody new in the group `default`, with the password of everybody.
    pub(crate) async fn new(world: &World, gateway: &Gateway) -> Self {
        Self::in_group(world, gateway, "default", PASSWORD).await
    }

    /// Somebody new.
    pub(crate) async fn in_group(
        world: &World,
        gateway: &Gateway,
        group: &'static str,
        password: &'static str,
    ) -> Self {
        let address = world.new_email();
        let proof = prove(gateway, &address, v1::Purpose::SignUp, group).await;
        let request = v1::SignUpRequest {
            group_id: group.into(),
            identifier: Some(email(&address)),
            password: password.into(),
            proof,
            ..Default::default()
        };
        let signed_up = gateway.auth().sign_up(request).await.expect("a user");
        let Some(v1::sign_up_response::Outcome::UserId(user_id)) = signed_up.into_inner().outcome
        else {
            panic!("the address was proved");
        };
        let person = Person {
            user_id,
            email: address,
            username: String::new(),
            gateway: gateway.clone(),
        };
        let tokens = sign_in(&person, group, password).await;
        Self {
            group,
            password,
            person,
            tokens,
            factors: Arc::default(),
        }
    }

    /// The same person in another session.
    pub(crate) async fn sign_in(&self) -> v1::Tokens {
        sign_in(&self.person, self.group, self.password).await
    }

    pub(crate) fn access_token(&self) -> String {
        self.tokens.access_token.clone()
    }

    /// An app that is being enrolled, and the code that it shows.
    pub(crate) async fn enrollment(&self) -> (String, String) {
        let begun = self.person.begin_enrollment(&self.tokens, "phone").await;
        let begun = begun.expect("an enrolment");
        let code = Authenticator::holding(&begun.secret).code();
        (begun.enrollment_id, code)
    }

    /// An app that is a factor.
    pub(crate) async fn app(&self) -> String {
        let enroll = || async {
            let (id, code) = self.enrollment().await;
            let confirmed = self.person.confirm_enrollment(&self.tokens, &id, &code);
            confirmed.await.expect("a factor").factor_id
        };
        self.factors.app.get_or_init(enroll).await.clone()
    }

    /// The address, which is a factor.
    pub(crate) async fn address_factor(&self, world: &World) -> String {
        let enroll = || async {
            let (tokens, address) = (&self.tokens, &self.person.email);
            let enrolled = self.person.enroll_address(world, tokens, address);
            enrolled.await.factor_id
        };
        self.factors.address.get_or_init(enroll).await.clone()
    }

    /// The proof of a new address.
    pub(crate) async fn proof_of_new(&self, world: &World) -> String {
        let request = v1::SendCodeRequest {
            group_id: self.group.into(),
            identifier: Some(email(&world.new_email())),
            purpose: v1::Purpose::ChangeIdentifier.into(),
            code: CODE.into(),
            access_token: self.access_token(),
            ..Default::default()
        };
        let gateway = &self.person.gateway;
        let id = gateway.ask_for_code(request).await.expect("a code");
        gateway.check_code(&id, CODE).await.expect("a proof")
    }

    /// A second address.
    pub(crate) async fn add_address(&self, world: &World) {
        let proof = self.proof_of_new(world).await;
        let added = self.person.add_identifier(&self.tokens, &proof).await;
        added.expect("added");
    }
}

/// The proof of an address.
pub(crate) async fn prove(
    gateway: &Gateway,
    address: &str,
    purpose: v1::Purpose,
    group: &str,
) -> String {
    let id = send_code(gateway, address, purpose, group).await;
    gateway.check_code(&id, CODE).await.expect("a proof")
}

/// A verification whose code is [`CODE`].
pub(crate) async fn send_code(
    gateway: &Gateway,
    address: &str,
    purpose: v1::Purpose,
    group: &str,
) -> String {
    let request = v1::SendCodeRequest {
        group_id: group.into(),
        identifier: Some(email(address)),
        purpose: purpose.into(),
        code: CODE.into(),
        ..Default::default()
    };
    gateway.ask_for_code(request).await.expect("a code")
}

async fn sign_in(person: &Person, group: &str, password: &str) -> v1::Tokens {
    let grant = v1::PasswordGrant {
        identifier: Some(email(&person.email)),
        password: password.into(),
    };
    let request = v1::IssueTokensRequest {
        group_id: group.into(),
        grant: Some(v1::issue_tokens_request::Grant::Password(grant)),
        ..Default::default()
    };
    let signed_in = person.gateway.issue_tokens(request).await;
    signed_in.expect("signed in")
}

/// A secret with one letter changed, which has the form of one.
pub(crate) fn altered(secret: &str) -> String {
    let mut letters: Vec<char> = secret.chars().collect();
    let middle = letters.len() / 2;
    letters[middle] = if letters[middle] == 'A' { 'B' } else { 'A' };
    letters.into_iter().collect()
}
