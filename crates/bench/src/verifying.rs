//! People who prove addresses, by codes of the gateway's own or by messages.

use std::net::Ipv4Addr;

use countersign_proto::v1::check_code_request::Verification;
use countersign_proto::v1::identifier::Value;
use countersign_proto::v1::verification_service_client::VerificationServiceClient;
use countersign_proto::v1::{
    CheckCodeRequest, CheckCodeResponse, ClientContext, DeliveryState, GetVerificationRequest,
    Identifier, Purpose, SendCodeRequest, SendCodeResponse,
};
use tonic::transport::Channel;

use crate::closed_loop::{Client, Step};
use crate::connections::{Connection, Connections};
use crate::failure::{Context as _, Failure};

/// Where SendCode is called.
const SEND_CODE: &str = "/countersign.v1.VerificationService/SendCode";

/// Where CheckCode is called.
const CHECK_CODE: &str = "/countersign.v1.VerificationService/CheckCode";

const CODE: &str = "604182";

/// Addresses that one client uses in turn: no limit of an address is reached.
const ADDRESSES: u32 = 256;

/// Limits that many rounds do not reach.
pub(crate) const LIMITS: [(&str, &str); 4] = [
    ("verification.cooldown", "0s"),
    ("verification.sends_per_address", "1000"),
    ("verification.sends_per_source", "1000000"),
    ("verification.sends_in_all", "100000000"),
];

/// Sends codes of its own, and checks each.
pub(crate) struct OwnCodes {
    sender: Sender,
    /// The verification whose code is to be checked next.
    sent: Option<String>,
}

/// Has codes sent.
pub(crate) struct Messages {
    sender: Sender,
    /// The last verification.
    sent: String,
}

struct Sender {
    number: u32,
    calls: u32,
    connection: Option<Connection>,
}

impl OwnCodes {
    pub(crate) fn new(number: u32) -> Self {
        Self {
            sender: Sender::new(number),
            sent: None,
        }
    }
}

impl Client for OwnCodes {
    async fn open(&mut self, connections: &mut Connections) -> Result<(), Failure> {
        self.sender.open(connections).await
    }

    /// SendCode and CheckCode in turn: half of the calls are each.
    async fn call(&mut self) -> Result<Step, Failure> {
        match self.sent.take() {
            None => self.sent = Some(self.sender.send(CODE).await?),
            Some(id) => self.sender.check(id).await?,
        }
        Ok(Step::Answered)
    }
}

impl Messages {
    pub(crate) fn new(number: u32) -> Self {
        Self {
            sender: Sender::new(number),
            sent: String::new(),
        }
    }

    /// Whether the message of the last code is on its way or sent.
    pub(crate) async fn check(&self, channel: Channel) -> Result<(), Failure> {
        let request = GetVerificationRequest {
            verification_id: self.sent.clone(),
            ..Default::default()
        };
        let shown = VerificationServiceClient::new(channel)
            .get_verification(request)
            .await
            .context("GetVerification")?;
        let verification = shown.into_inner().verification.unwrap_or_default();
        match verification.delivery_state() {
            DeliveryState::Queued | DeliveryState::Sent => Ok(()),
            other => Err(Failure::new(format!("a message is {other:?}"))),
        }
    }
}

impl Client for Messages {
    async fn open(&mut self, connections: &mut Connections) -> Result<(), Failure> {
        self.sender.open(connections).await
    }

    async fn call(&mut self) -> Result<Step, Failure> {
        let earlier = std::mem::replace(&mut self.sent, self.sender.send("").await?);
        if earlier == self.sent {
            return Err(Failure::new(
                "SendCode answered the same verification twice",
            ));
        }
        Ok(Step::Answered)
    }
}

impl Sender {
    fn new(number: u32) -> Self {
        Self {
            number,
            calls: 0,
            connection: None,
        }
    }

    async fn open(&mut self, connections: &mut Connections) -> Result<(), Failure> {
        self.connection = Some(connections.next().await?);
        Ok(())
    }

    /// Sends a code, the caller's own unless it is empty, and tells the id of
    /// the verification.
    async fn send(&mut self, code: &str) -> Result<String, Failure> {
        let (number, address) = (self.number, self.calls % ADDRESSES);
        self.calls += 1;
        let email = format!("verify-{number}-{address}@example.com");
        let request = SendCodeRequest {
            identifier: Some(Identifier {
                value: Some(Value::Email(email)),
            }),
            purpose: Purpose::SignUp.into(),
            code: code.into(),
            client_context: Some(ClientContext {
                ip_address: Ipv4Addr::from_bits(0xC633_6400 + number).to_string(),
                ..ClientContext::default()
            }),
            ..SendCodeRequest::default()
        };
        let connection = self.connection.as_mut().expect("it was opened");
        let sent: SendCodeResponse = connection
            .call(SEND_CODE, &request)
            .await
            .context("SendCode")?;
        match sent.verification_id {
            id if id.is_empty() => Err(Failure::new("SendCode answered no verification")),
            id => Ok(id),
        }
    }

    async fn check(&mut self, id: String) -> Result<(), Failure> {
        let request = CheckCodeRequest {
            verification: Some(Verification::VerificationId(id)),
            code: CODE.into(),
        };
        let connection = self.connection.as_mut().expect("it was opened");
        let checked: CheckCodeResponse = connection
            .call(CHECK_CODE, &request)
            .await
            .context("CheckCode")?;
        if checked.proof.is_empty() {
            return Err(Failure::new("CheckCode answered no proof"));
        }
        Ok(())
    }
}
