//! Guarantee 19, text messages that nobody reads run dry: 125,000 requests that
//! make messages to earn by them, or to keep others out, among real people who
//! type their codes in. The use-cases run on the in-process store and on Redis,
//! with a clock turned by hand, so that a day takes seconds.

mod support;

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use countersign_domain::Error;
use countersign_domain::application::Settings;
use countersign_domain::model::Purpose;
use countersign_domain::ports::{Clock as _, EphemeralStore};
use countersign_domain::testing::{HandClock, World, phone_code};
use countersign_domain::use_cases::{CheckCode, Which};
use countersign_storage::{Bounds, InProcess, Redis, RedisSettings};

/// Of each of the five attacks, and in the longer form.
const REQUESTS: u32 = 25_000;
const MANY_REQUESTS: u32 = 100_000;
/// As many people ask for a code while an attack goes on.
const PEOPLE: u32 = 500;
const DAY: u64 = 86_400;

/// Where requests go to, and where they come from.
#[derive(Debug, Clone, Copy)]
enum Attack {
    /// To numbers of one country that pays for messages, from everywhere.
    PremiumCountry,
    /// The same, to a country whose people sign up here, too.
    CountryOfPeople,
    /// To the thousand numbers of ten neighbourhoods at home, from everywhere.
    Neighbours,
    /// To numbers all over the country at home, from the sources of one network.
    OneNetwork,
    /// The same, from as many networks as there are requests.
    Everywhere,
}

/// What became of those who asked.
#[derive(Debug, Default)]
struct Outcome {
    requests: u32,
    sent: u32,
    /// People at sources that have verified a message the day before.
    known: Served,
    /// People at sources that have verified none.
    new: Served,
}

#[derive(Debug, Default)]
struct Served {
    served: u32,
    asked: u32,
}

impl Attack {
    const ALL: [Self; 5] = [
        Self::PremiumCountry,
        Self::CountryOfPeople,
        Self::Neighbours,
        Self::OneNetwork,
        Self::Everywhere,
    ];

    fn number(self, request: u32) -> String {
        match self {
            // Latvia.
            Self::PremiumCountry | Self::CountryOfPeople => {
                format!("+3712{:07}", request * 61 % 10_000_000)
            }
            Self::Neighbours => format!("+8210500{:05}", request % 1_000),
            Self::OneNetwork | Self::Everywhere => {
                format!("+8210{:08}", 20_000_000 + request * 397 % 30_000_000)
            }
        }
    }

    fn source(self, request: u32) -> String {
        let (high, low) = (request >> 8, request & 0xff);
        match self {
            Self::OneNetwork => format!("2001:db8:1:{:x}::1", request % 0x1_0000),
            _ => format!("2001:db8:{high:x}{low:02x}::1"),
        }
    }

    /// The messages that may stay unverified in a day, by the defaults.
    fn budget(self) -> u32 {
        match self {
            Self::PremiumCountry => 20,
            // 0.3 of what was verified on the best day.
            Self::CountryOfPeople => PEOPLE / 2 * 3 / 10,
            Self::Neighbours | Self::OneNetwork => 100,
            Self::Everywhere => 2_000,
        }
    }

    /// Whether people at new sources can be told from the attackers. They cannot
    /// where these come from everywhere and ask for numbers like theirs.
    fn spares_new_sources(self) -> bool {
        !matches!(self, Self::Everywhere | Self::CountryOfPeople)
    }

    /// The number and the source of somebody who types the code in.
    fn person(self, number: u32) -> (String, String) {
        let phone = match self {
            Self::CountryOfPeople => format!("+3716{:07}", 1_000_000 + number * 131),
            _ => format!("+8210{:08}", 90_000_000 + number * 131),
        };
        let source = format!("198.{}.{}.7", 18 + number / 256, number % 256);
        (phone, source)
    }
}

impl Served {
    fn add(&mut self, is_served: bool) {
        self.asked += 1;
        self.served += u32::from(is_served);
    }

    fn is_99_percent(&self) -> bool {
        self.served * 100 >= self.asked * 99
    }
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.served, self.asked)
    }
}

/// The limits that are the same for all stay out of the way. They go by the clock
/// of the store, which on Redis is not turned.
fn settings(settings: &mut Settings) {
    settings.verification.cooldown = Duration::ZERO;
    settings.verification.sends_per_country = 1_000_000;
    settings.verification.sends_in_all = 1_000_000;
}

/// Somebody asks for a code and types it in.
async fn verifies(world: &World, number: &str, source: &str) -> bool {
    let asked = phone_code(number, Purpose::SignUp, source);
    let Ok(sent) = asked.execute(&world.app).await else {
        return false;
    };
    let check = CheckCode {
        which: Which::Id(sent.record.id),
        code: world.take_code().await,
    };
    check.execute(&world.app).await.is_ok()
}

fn to_next_midnight(clock: &HandClock) {
    let seconds = u64::try_from(clock.now().as_seconds()).expect("it is after 1970");
    clock.advance(Duration::from_secs(DAY - seconds % DAY));
}

async fn pump(world: &World, attack: Attack, requests: u32) -> Outcome {
    let between_people = requests / PEOPLE;
    // All within a day.
    let pause = Duration::from_secs(DAY - 3_600) / requests;
    for number in 0..PEOPLE / 2 {
        let (phone, source) = attack.person(number);
        assert!(verifies(world, &phone, &source).await, "nobody pumps yet");
        world.clock.advance(Duration::from_secs(1));
    }
    to_next_midnight(&world.clock);
    let mut outcome = Outcome::default();
    for request in 0..requests {
        let asked = phone_code(
            &attack.number(request),
            Purpose::SignUp,
            &attack.source(request),
        );
        outcome.requests += 1;
        match asked.execute(&world.app).await {
            Ok(_) => {
                outcome.sent += 1;
                world.take_sent().await;
            }
            Err(Error::Exhausted { retry_after, .. }) => {
                assert!(retry_after <= Duration::from_secs(DAY), "{retry_after:?}");
            }
            Err(error) => panic!("{error}"),
        }
        world.clock.advance(pause);
        if request % between_people == between_people - 1 {
            let number = request / between_people;
            let (phone, source) = attack.person(number);
            let is_served = verifies(world, &phone, &source).await;
            let is_known = number < PEOPLE / 2;
            let served = if is_known {
                &mut outcome.known
            } else {
                &mut outcome.new
            };
            served.add(is_served);
        }
    }
    outcome
}

async fn attack_on<S: EphemeralStore + 'static>(
    name: &str,
    attack: Attack,
    requests: u32,
    store: impl FnOnce(Arc<HandClock>) -> S,
) {
    let world = World::over(|clock| Arc::new(store(clock)), settings).await;
    let outcome = pump(&world, attack, requests).await;
    let Outcome {
        requests,
        sent,
        known,
        new,
    } = &outcome;
    let budget = attack.budget();
    writeln!(
        std::io::stderr(),
        "guarantee 19 on {name}, {attack:?}: of {requests} requests {sent} sent, {budget} \
         allowed; people served at sources that have verified before {known}, at new ones {new}"
    )
    .ok();
    assert!(*sent <= budget, "{outcome:?}");
    assert!(known.is_99_percent(), "{outcome:?}");
    if attack.spares_new_sources() {
        assert!(new.is_99_percent(), "{outcome:?}");
    }
    let counts = world.app.limits.unverified();
    let refused: u64 = counts.refused().map(|(_, count)| count).sum();
    let unsent = requests - sent + new.asked - new.served;
    assert_eq!(refused, u64::from(unsent), "{outcome:?}");
}

async fn attacks_on_the_in_process_store(requests: u32) {
    let bounds = Bounds {
        values: 200_000,
        budgets: 400_000,
        counters: 50_000,
    };
    for attack in Attack::ALL {
        let store = |clock: Arc<HandClock>| InProcess::new(clock, bounds);
        attack_on("the in-process store", attack, requests, store).await;
    }
}

async fn attacks_on_redis(requests: u32) {
    let url = support::service_url("COUNTERSIGN_TEST_REDIS", "redis://127.0.0.1:6379/");
    for attack in Attack::ALL {
        let run = RandomState::new().hash_one("run");
        let settings = RedisSettings {
            scope: format!("pumping-{run:016x}"),
            timeout: Duration::from_secs(10),
            ..RedisSettings::new(url.as_str())
        };
        match Redis::connect(&settings).await {
            Ok(redis) => attack_on("Redis", attack, requests, |_| redis).await,
            Err(error) => {
                assert!(!support::services_required(), "{error}");
                support::skip(&format!("Redis is not reachable at {url}: {error}"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pumping_runs_dry_on_the_in_process_store() {
    attacks_on_the_in_process_store(REQUESTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pumping_runs_dry_on_redis() {
    attacks_on_redis(REQUESTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn longer_pumping_runs_dry_on_the_in_process_store() {
    attacks_on_the_in_process_store(MANY_REQUESTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn longer_pumping_runs_dry_on_redis() {
    attacks_on_redis(MANY_REQUESTS).await;
}
