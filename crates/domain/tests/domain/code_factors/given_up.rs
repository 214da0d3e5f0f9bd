//! What becomes of a code factor whose address is changed or removed.

use countersign_domain::model::UndoToken;
use countersign_domain::ports::Factors as _;
use countersign_domain::use_cases::{
    AddIdentifier, ChangeIdentifier, RemoveIdentifier, SendCode, UndoIdentifierChange,
};

use super::*;

const NEW: &str = "new@example.com";

impl Mina {
    /// A proof of an address for the person of an access token.
    async fn prove_new(&self, access_token: &str, new: &str) -> Proof {
        self.world.take_sent().await;
        let send = SendCode {
            access_token: Some(access_token.to_owned()),
            ..countersign_domain::testing::send_code(new, Purpose::ChangeIdentifier)
        };
        let sent = send.execute(&self.world.app).await.expect("sent");
        let check = CheckCode {
            which: Which::Id(sent.record.id),
            code: self.world.take_code().await,
        };
        check.execute(&self.world.app).await.expect("checked").proof
    }

    async fn change(&self, access_token: &str, replaced: Address) -> Result<Address, Error> {
        let change = ChangeIdentifier {
            proof: self.prove_new(access_token, NEW).await,
            access_token: access_token.to_owned(),
            replaced,
            locale: Locale::English,
        };
        change.execute(&self.world.app).await
    }

    async fn give_up(&self, access_token: &str, address: Address) -> Result<(), Error> {
        let remove = RemoveIdentifier {
            access_token: access_token.to_owned(),
            address,
            locale: Locale::English,
        };
        remove.execute(&self.world.app).await
    }

    /// Signs in by the password and a code to the phone.
    async fn tokens_by(&self, factor: FactorId) -> String {
        let asked = self.asked().await;
        let code = self.code(&asked.id, factor).await;
        let tokens = self.answer(&asked.id, &code).await;
        tokens.expect("signed in").access_token
    }

    async fn factors(&self) -> (usize, u32) {
        let factors = self.world.store.factors(self.id).await.expect("readable");
        let left = self.world.store.recovery_codes_left(self.id).await;
        (factors.len(), left.expect("readable"))
    }
}

#[tokio::test]
async fn the_factor_goes_with_its_address_and_with_the_last_one_the_recovery_codes() {
    for is_changed in [true, false] {
        let mina = Mina::new().await;
        let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
        let tokens = mina.tokens_by(enrolled.factor.id).await;
        assert_eq!(mina.factors().await, (1, 10));
        mina.world.take_sent().await;
        match is_changed {
            true => drop(mina.change(&tokens, phone(PHONE)).await.expect("changed")),
            false => mina.give_up(&tokens, phone(PHONE)).await.expect("removed"),
        }
        assert_eq!(mina.factors().await, (0, 0));
        let told = mina.world.take_sent().await.into_iter();
        let told = told.filter(|message| matches!(message.content, Content::FactorRemoved));
        assert_eq!(told.count(), 2, "both addresses are told");
        // No question is left that nobody can answer.
        mina.tokens().await;
    }
}

#[tokio::test]
async fn other_factors_and_the_recovery_codes_stay() {
    let mina = Mina::new().await;
    let first = mina.tokens().await;
    let enrolled = mina.enroll(&first, Channel::Phone).await;
    mina.enroll(&first, Channel::Email).await;
    let tokens = mina.tokens_by(enrolled.factor.id).await;
    mina.give_up(&tokens, phone(PHONE)).await.expect("removed");
    assert_eq!(mina.factors().await, (1, 10));
    assert_eq!(
        mina.asked().await.factors,
        [MfaFactor::RecoveryCode, MfaFactor::Email]
    );
}

#[tokio::test]
async fn an_open_mfa_session_sends_nothing_to_an_address_that_was_given_up() {
    let mina = Mina::new().await;
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let tokens = mina.tokens_by(enrolled.factor.id).await;
    let (asked, sent) = (mina.asked().await, mina.asked().await);
    let nameless = create(NamedUser::Id(mina.id));
    let nameless = nameless.execute(&mina.world.app).await.expect("created");
    let code = mina.code(&sent.id, enrolled.factor.id).await;
    mina.give_up(&tokens, phone(PHONE)).await.expect("removed");
    mina.world.take_sent().await;
    mina.world.clock.advance(Duration::from_secs(60));
    let refused = mina.send(&asked.id, enrolled.factor.id).await;
    assert_eq!(refusal(refused), Refusal::MfaSession);
    // It is not told of, and goes nowhere.
    let answered = mina.send(&nameless.id, enrolled.factor.id).await;
    answered.expect("an answer");
    assert_eq!(mina.world.take_sent().await.len(), 0);
    for id in [&sent.id, &asked.id] {
        assert!(mina.answer(id, &code).await.is_err());
    }
}

#[tokio::test]
async fn who_has_not_shown_the_factor_does_not_drop_it_by_its_address() {
    for policy in [
        countersign_domain::model::MfaPolicy::Optional,
        countersign_domain::model::MfaPolicy::Required,
    ] {
        let mut mina = Mina::new().await;
        let owner = mina.tokens().await;
        mina.enroll(&owner, Channel::Phone).await;
        mina.world.clock.advance(Duration::from_secs(1));
        // A session of the password alone, a moment old, from when none was asked for.
        let off = countersign_domain::model::MfaPolicy::Off;
        mina.world.reconfigure(|settings| settings.mfa_policy = off);
        let thief = mina.tokens().await;
        mina.world
            .reconfigure(|settings| settings.mfa_policy = policy);
        let refused = mina.give_up(&thief, phone(PHONE)).await;
        assert_eq!(refusal(refused), Refusal::SecondFactorRequired);
        let add = AddIdentifier {
            access_token: thief.clone(),
            proof: mina.prove_anything().await,
            locale: Locale::English,
        };
        let refused = add.execute(&mina.world.app).await;
        assert_eq!(refusal(refused), Refusal::SecondFactorRequired);
        let change = ChangeIdentifier {
            access_token: thief,
            replaced: phone(PHONE),
            proof: mina.prove_anything().await,
            locale: Locale::English,
        };
        let refused = change.execute(&mina.world.app).await;
        assert_eq!(refusal(refused), Refusal::SecondFactorRequired);
        assert_eq!(mina.factors().await, (1, 10));
    }
}

impl Mina {
    /// A proof that is never looked at.
    async fn prove_anything(&self) -> Proof {
        self.world.clock.advance(Duration::from_secs(60));
        self.world.take_sent().await;
        self.prove(address(EMAIL)).await
    }
}

#[tokio::test]
async fn an_undo_brings_the_address_back_and_not_the_factor() {
    let mina = Mina::new().await;
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
    mina.world.clock.advance(Duration::from_secs(80 * 60 * 60));
    let tokens = mina.tokens_by(enrolled.factor.id).await;
    mina.change(&tokens, phone(PHONE)).await.expect("changed");
    let mut tokens = mina.world.take_sent().await.into_iter();
    let token = tokens.find_map(|message| match message.content {
        Content::IdentifierChanged { token, .. } => Some(token),
        _ => None,
    });
    let token: UndoToken = token.expect("a notice");
    let undo = UndoIdentifierChange {
        group: GroupId::fallback(),
        token,
        locale: Locale::English,
    };
    undo.execute(&mina.world.app).await.expect("undone");
    let addresses = mina.world.store.addresses(mina.id).await;
    assert!(addresses.expect("readable").contains(&phone(PHONE)));
    assert_eq!(mina.factors().await, (0, 0));
}
