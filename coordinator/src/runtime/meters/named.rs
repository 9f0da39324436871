//! The series that name jobs and parties: there while what they name is, and no longer.

use std::collections::{BTreeMap, BTreeSet};

use entente_metrics::{
    COSINE_ATTACK, Family, Gauge, JOB_INFO, JOB_LABEL_LEAK_AUC, JOB_WAITING, JOBS_UNLISTED, Level,
    NAMED_JOBS, NAMED_PARTIES, NORM_ATTACK, PARTIES_UNLISTED, PARTY_HEARD, PARTY_PLACES,
    PARTY_PLACES_TAKEN, PARTY_UP, Registry,
};
use entente_protocol::job::{PartyName, Side};

use super::{
    gauge,
    table::{COUNTS, MEASURES},
};
use crate::{
    clock::Millis,
    engine::{Engine, Vitals},
    job::{PartyView, Reason},
};

/// The labels of [`JOB_INFO`], of which the first is the job's id.
type Info = [String; 6];

/// The series of running jobs, and of parties.
pub(super) struct Named {
    info: Family<Gauge, 6>,
    counts: [Family<Gauge, 1>; COUNTS.len()],
    measures: [Family<Level, 1>; MEASURES.len()],
    waiting: Family<Gauge, 2>,
    leaks: Family<Level, 2>,
    jobs_unlisted: Gauge,
    parties: [Family<Gauge, 1>; 4],
    parties_unlisted: Gauge,
    /// The jobs that have series.
    jobs: BTreeMap<String, Info>,
    /// The parties that have series.
    known: BTreeSet<PartyName>,
}

impl Named {
    pub(super) fn new(registry: &Registry) -> Self {
        let parties = [&PARTY_UP, &PARTY_HEARD, &PARTY_PLACES, &PARTY_PLACES_TAKEN];
        Self {
            info: registry.family(&JOB_INFO),
            counts: COUNTS.map(|(definition, _)| registry.family(definition)),
            measures: MEASURES.map(|(definition, _)| registry.family(definition)),
            waiting: registry.family(&JOB_WAITING),
            leaks: registry.family(&JOB_LABEL_LEAK_AUC),
            jobs_unlisted: registry.family(&JOBS_UNLISTED).with([]),
            parties: parties.map(|definition| registry.family(definition)),
            parties_unlisted: registry.family(&PARTIES_UNLISTED).with([]),
            jobs: BTreeMap::new(),
            known: BTreeSet::new(),
        }
    }

    /// Shows what the engine knows now, and nothing else.
    pub(super) fn show(&mut self, engine: &Engine, now: Millis) {
        let (jobs, unlisted) = engine.vitals(NAMED_JOBS, now);
        let shown = jobs
            .iter()
            .map(|job| (job.record.id.to_string(), info(job)));
        let shown: BTreeMap<String, Info> = shown.collect();
        for (id, info) in &self.jobs {
            match shown.get(id) {
                None => self.forget(info),
                // Another attempt has another correlation.
                Some(now) if now != info => self.info.remove(info.each_ref().map(String::as_str)),
                Some(_) => {}
            }
        }
        for job in &jobs {
            self.show_job(job);
        }
        for info in shown.values() {
            self.info.with(info.each_ref().map(String::as_str)).set(1);
        }
        self.jobs = shown;
        self.jobs_unlisted.set(gauge(unlisted));

        let parties = engine.parties(now);
        for party in parties.iter().take(NAMED_PARTIES) {
            self.show_party(party);
        }
        self.parties_unlisted
            .set(gauge(parties.len().saturating_sub(NAMED_PARTIES)));
    }

    /// Shows nothing any more.
    pub(super) fn clear(&mut self) {
        for info in core::mem::take(&mut self.jobs).values() {
            self.forget(info);
        }
        for party in core::mem::take(&mut self.known) {
            for family in &self.parties {
                family.remove([party.as_str()]);
            }
        }
        self.jobs_unlisted.set(0);
        self.parties_unlisted.set(0);
    }

    fn show_job(&self, job: &Vitals<'_>) {
        let id = &*job.record.id.to_string();
        for (family, (_, count)) in self.counts.iter().zip(COUNTS) {
            match count(job) {
                Some(count) => family.with([id]).set(count.try_into().unwrap_or(i64::MAX)),
                None => family.remove([id]),
            }
        }
        for (family, (_, measure)) in self.measures.iter().zip(MEASURES) {
            match measure(job) {
                Some(value) => family.with([id]).set(value),
                None => family.remove([id]),
            }
        }
        let leak = job.record.told(|progress| progress.leak);
        for (attack, auc) in [
            (NORM_ATTACK, leak.map(|leak| leak.norm_auc)),
            (COSINE_ATTACK, leak.map(|leak| leak.cosine_auc)),
        ] {
            match auc {
                Some(auc) => self.leaks.with([id, attack]).set(auc),
                None => self.leaks.remove([id, attack]),
            }
        }
        let waits_for: BTreeSet<&str> = job.waits_for.iter().map(Reason::label).collect();
        for reason in Reason::LABELS {
            match waits_for.contains(reason) {
                true => self.waiting.with([id, reason]).set(1),
                false => self.waiting.remove([id, reason]),
            }
        }
    }

    fn forget(&self, info: &Info) {
        self.info.remove(info.each_ref().map(String::as_str));
        let [id, ..] = info.each_ref().map(String::as_str);
        self.counts.iter().for_each(|family| family.remove([id]));
        self.measures.iter().for_each(|family| family.remove([id]));
        for attack in [NORM_ATTACK, COSINE_ATTACK] {
            self.leaks.remove([id, attack]);
        }
        for reason in Reason::LABELS {
            self.waiting.remove([id, reason]);
        }
    }

    fn show_party(&mut self, party: &PartyView) {
        let name = [party.name.as_str()];
        let [up, heard, places, taken] = &self.parties;
        up.with(name).set(party.connected.into());
        heard.with(name).set(party.heard_at.unix_timestamp());
        places.with(name).set(party.capacity.into());
        taken.with(name).set(party.jobs.into());
        self.known.insert(party.name.clone());
    }
}

fn info(job: &Vitals<'_>) -> Info {
    let (record, task) = (job.record, &job.record.task);
    [
        record.id.to_string(),
        task.name().to_owned(),
        task.label().to_owned(),
        task.party(Side::Active).to_string(),
        task.party(Side::Passive).to_string(),
        record.correlation().to_string(),
    ]
}
