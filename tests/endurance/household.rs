//! Processes that can be killed and started again, and the wires between them.
//!
//! ```text
//!   alice ───▶ front door ──▶ coordinator ◀── wire ◀── each party
//!                             bank-b, bank-c ◀── wire ◀── bank-a
//! ```
//!
//! A process that starts again listens on another port; the wires know which.
//! All parties start from known weights, so two runs of one specification must
//! end with the same bits.

use std::{fs, net::TcpListener, path::Path, thread, time::Duration};

use entente_protocol::{
    acml::{ActiveHalf, Model, PassiveHalf},
    job::Job,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    fault::Fault,
    house::{Service, entente, eventually, folder_for, succeed},
    proxy::{Mishap, Proxy},
};

/// Where a household's jobs are trained: the first owns features, the others
/// labels.
pub(crate) const PARTIES: [&str; 3] = ["bank-a", "bank-b", "bank-c"];

/// A coordinator, parties, and the wires between them.
pub(crate) struct Household {
    coordinator: Option<Service>,
    parties: Vec<Member>,
    /// For people: nothing happens on it.
    front_door: Proxy,
    folder: TempDir,
}

struct Member {
    name: &'static str,
    service: Option<Service>,
    to_coordinator: Proxy,
    /// On the way of others to it.
    to_it: Proxy,
}

impl Household {
    /// The first `count` of [`PARTIES`], each taking so many jobs at once.
    pub(crate) fn start(count: usize, capacity: u32) -> Self {
        let names = &PARTIES[..count];
        let folder = folder_for(names);
        let front_door = Proxy::new();
        let tls = |name: &str| {
            format!(
                "[tls]\nca = \"pki/ca.pem\"\ncertificate = \"pki/{name}.pem\"\n\
                 key = \"pki/{name}.key\"\n"
            )
        };
        let write = |name: &str, text: String| {
            let file = folder.path().join(format!("{name}.toml"));
            fs::write(file, text + &tls(name)).unwrap();
        };
        write(
            "coordinator",
            "[coordinator]\nname = \"coordinator\"\nlisten = \"127.0.0.1:0\"\n\
             state_dir = \"state/coordinator\"\nparty_timeout_s = 5\n"
                .to_owned(),
        );
        let way = |proxy: &Proxy| {
            let port = proxy.port();
            format!("[coordinator]\nurl = \"https://localhost:{port}/\"\nname = \"coordinator\"\n")
        };
        // All of them, by themselves.
        let policy = folder.path().join("policy.toml");
        fs::write(policy, "[[allow]]\napproval = \"automatic\"\n").unwrap();
        write("alice", way(&front_door));
        fs::rename(
            folder.path().join("alice.toml"),
            folder.path().join("client.toml"),
        )
        .unwrap();
        let parties: Vec<Member> = names
            .iter()
            .map(|name| Member {
                name,
                service: None,
                to_coordinator: Proxy::new(),
                to_it: Proxy::new(),
            })
            .collect();
        for (number, member) in parties.iter().enumerate() {
            let name = member.name;
            let columns = if number == 0 { "features" } else { "labels" };
            let peers = parties
                .iter()
                .filter(|peer| (number == 0) != (peer.name == names[0]));
            let peers = peers.map(|peer| {
                let address = match number {
                    0 => format!("address = \"localhost:{}\"\n", peer.to_it.port()),
                    _ => String::new(),
                };
                format!("[peers.{}]\n{address}", peer.name)
            });
            let text = format!(
                "[party]\nname = \"{name}\"\nlisten = \"127.0.0.1:0\"\n\
                 state_dir = \"state/{name}\"\ncapacity = {capacity}\n\
                 policy = \"policy.toml\"\n\
                 {}{}[metrics]\nlisten = \"127.0.0.1:0\"\n\
                 [compute]\nthreads = 1\npool_values = 64\n\
                 [weights]\ndangerously_fixed_seed = 7\n\
                 [datasets.iris]\nsource = \"iris\"\ncolumns = \"{columns}\"\n",
                way(&member.to_coordinator),
                peers.collect::<String>(),
            );
            write(name, text);
        }
        let mut household = Self {
            coordinator: None,
            parties,
            front_door,
            folder,
        };
        household.revive();
        household
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts whatever does not run.
    pub(crate) fn revive(&mut self) {
        let folder = self.folder.path();
        if self.coordinator.is_none() {
            let service = Service::start(folder, "coordinator", "coordinator");
            let port = service.port("api");
            self.front_door.aim(port);
            for member in &self.parties {
                member.to_coordinator.aim(port);
            }
            self.coordinator = Some(service);
        }
        for member in &mut self.parties {
            if member.service.is_none() {
                let service = Service::start(folder, "party", member.name);
                member.to_it.aim(service.port("peers"));
                member.service = Some(service);
            }
        }
    }

    /// Kills a party, as power does.
    pub(crate) fn kill(&mut self, party: usize) {
        // Dropping a service is kill -9.
        self.parties[party].service = None;
    }

    /// Lets something happen, and cures what does not cure itself.
    pub(crate) fn suffer(&mut self, fault: Fault) {
        let wire = match fault {
            Fault::KillCoordinator => {
                self.coordinator = None;
                None
            }
            Fault::KillParty(party) => {
                self.kill(party);
                None
            }
            Fault::KillParties => {
                (0..self.parties.len()).for_each(|party| self.kill(party));
                None
            }
            Fault::KillAll => {
                self.coordinator = None;
                (0..self.parties.len()).for_each(|party| self.kill(party));
                None
            }
            Fault::BetweenParties(mishap) => Some((&self.parties[1].to_it, mishap)),
            Fault::ToCoordinator(party, mishap) => {
                Some((&self.parties[party].to_coordinator, mishap))
            }
        };
        if let Some((wire, mishap)) = wire {
            wire.suffer(mishap);
            if mishap == Mishap::Cut {
                thread::sleep(Duration::from_millis(500));
                wire.mend();
            }
        }
        self.revive();
    }

    /// Nothing happens from now on that has not happened.
    pub(crate) fn calm(&mut self) {
        for member in &self.parties {
            member.to_coordinator.mend();
            member.to_it.mend();
        }
        self.revive();
    }

    /// Submits the specification in `text`; the job's identity.
    pub(crate) fn submit(&self, text: &str) -> String {
        fs::write(self.path().join("job.toml"), text).unwrap();
        let printed = succeed(self.path(), &["job", "submit", "job.toml", "-o", "json"]);
        let job: Value = serde_json::from_str(&printed).unwrap();
        job["id"].as_str().unwrap().to_owned()
    }

    /// How a job stands; nothing while the coordinator does not answer.
    pub(crate) fn show(&self, id: &str) -> Option<Value> {
        let output = entente(self.path(), &["job", "show", id, "-o", "json"]);
        serde_json::from_slice(&output.stdout).ok()
    }

    /// Waits until the job has ended, and well.
    pub(crate) fn succeeds(&self, id: &str) {
        let end = eventually(&format!("job {id} ends\n{}", self.last_words()), || {
            self.show(id).filter(has_ended)
        });
        let words = self.last_words();
        assert_eq!(end["state"], "succeeded", "{end:#}\n{words}");
    }

    /// The model that a job has left at its parties, joined.
    pub(crate) fn model(&self, id: &str, text: &str, passive: &str) -> Model {
        let job = Job::from_toml(text).unwrap();
        let half = |party: &str| {
            let state = self.path().join("state").join(party);
            fs::read(state.join("models").join(id).join("half.bin")).unwrap()
        };
        Model::join(
            ActiveHalf::open(&job, &half(PARTIES[0])).unwrap(),
            PassiveHalf::open(&job, &half(passive)).unwrap(),
        )
    }

    /// What is left of running jobs at the parties: journals, by path.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        let files = self.parties.iter().flat_map(|member| {
            let jobs = self.path().join("state").join(member.name).join("jobs");
            let jobs = fs::read_dir(jobs).into_iter().flatten().flatten();
            jobs.map(|file| file.path().display().to_string())
        });
        files.collect()
    }

    /// Of the processes that run.
    pub(crate) fn ids(&self) -> Vec<(String, u32)> {
        let parties = self.parties.iter().filter_map(|member| {
            let service = member.service.as_ref()?;
            Some((member.name.to_owned(), service.id()))
        });
        let coordinator = self.coordinator.as_ref();
        let coordinator = coordinator.map(|of| ("coordinator".to_owned(), of.id()));
        coordinator.into_iter().chain(parties).collect()
    }

    /// Stops everything gently; every process ends by itself, and nobody
    /// listens any more where they did.
    pub(crate) fn stops_and_leaves_no_listener(mut self) {
        let services = self.coordinator.take().into_iter();
        let parties = self.parties.iter_mut().filter_map(|of| of.service.take());
        let services: Vec<Service> = services.chain(parties).collect();
        let ports: Vec<u16> = services.iter().flat_map(Service::ports).collect();
        assert!(!ports.is_empty());
        for mut service in services {
            service.stop();
        }
        for port in ports {
            let bound = TcpListener::bind(("127.0.0.1", port));
            assert!(bound.is_ok(), "somebody still listens on {port}");
        }
    }

    /// What the services have logged last, for a test that fails.
    pub(crate) fn last_words(&self) -> String {
        let names = ["coordinator"].into_iter().chain(PARTIES);
        let tails = names.filter_map(|name| {
            let log = fs::read_to_string(self.path().join(format!("{name}.log"))).ok()?;
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines[lines.len().saturating_sub(25)..].join("\n");
            Some(format!("--- {name}\n{tail}\n"))
        });
        tails.collect()
    }
}

/// Whether a job has ended, by its record.
pub(crate) fn has_ended(job: &Value) -> bool {
    let state = job["state"].as_str().unwrap_or_default();
    ["succeeded", "failed", "cancelled", "rejected"].contains(&state)
}
