//! Where most tests of jobs begin: a coordinator that runs, a user of it, and both
//! parties of the usual job.

use std::net::SocketAddr;

use entente_coordinator::{client::Client, job::JobView};
use entente_protocol::job::JobId;

use super::{Caller, FakeParty, House, Running, go_on, spec};

pub struct Field {
    pub house: House,
    running: Running,
    /// `user/alice`, whose jobs they are.
    pub client: Client,
    pub active: FakeParty,
    pub passive: FakeParty,
}

impl Field {
    pub async fn new() -> Self {
        let house = House::new();
        let running = house.start().await;
        let at = running.addresses.api;
        Self {
            client: house.client(at),
            active: house.party("bank-a", at),
            passive: house.party("bank-b", at),
            house,
            running,
        }
    }

    /// The coordinator ends, and another one starts on what it left. The parties are
    /// the same; only whom they call has changed.
    pub async fn restart(self) -> Self {
        self.running.stop().await;
        let running = self.house.start().await;
        let at = running.addresses.api;
        let (mut active, mut passive) = (self.active, self.passive);
        active.caller = self.house.caller("party/bank-a", at);
        passive.caller = self.house.caller("party/bank-b", at);
        Self {
            client: self.house.client(at),
            active,
            passive,
            house: self.house,
            running,
        }
    }

    pub fn at(&self) -> SocketAddr {
        self.running.addresses.api
    }

    pub fn caller(&self, identity: &str) -> Caller {
        self.house.caller(identity, self.at())
    }

    /// The usual job.
    pub async fn submit(&self) -> JobId {
        self.client.submit(&spec()).await.unwrap().id
    }

    /// Lets both parties go on until the job is as it should be.
    pub async fn go_on(&mut self, id: JobId, until: impl Fn(&JobView) -> bool) -> JobView {
        let mut parties = [&mut self.active, &mut self.passive];
        go_on(&self.client, id, &mut parties, until).await
    }

    /// Both parties ask once, and follow.
    pub async fn step(&mut self) {
        self.active.step().await;
        self.passive.step().await;
    }

    pub async fn stop(self) {
        self.running.stop().await;
    }
}
