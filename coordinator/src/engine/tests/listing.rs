use super::*;
use crate::{engine::Listing, testbed::job_between};

fn numbers(world: &World, listing: &Listing) -> (Vec<u128>, Option<u128>) {
    let page = world.engine.list(listing, world.now);
    let jobs = page.jobs.iter().map(|job| number(job.id)).collect();
    (jobs, page.next.map(number))
}

#[test]
fn pages_hold_every_job_once_while_others_are_submitted() {
    let mut world = World::new();
    for number in 1..=7 {
        world.submit(number, job());
    }
    let mut listing = Listing {
        limit: Some(3),
        ..Listing::default()
    };
    assert_eq!(numbers(&world, &listing), (vec![7, 6, 5], Some(5)));
    world.submit(8, job());
    listing.before = Some(id(5));
    assert_eq!(numbers(&world, &listing), (vec![4, 3, 2], Some(2)));
    world.submit(9, job());
    listing.before = Some(id(2));
    assert_eq!(numbers(&world, &listing), (vec![1], None));
    // A page that is just full is the last if nothing is behind it.
    listing.before = Some(id(4));
    assert_eq!(numbers(&world, &listing), (vec![3, 2, 1], None));
    // A job need not be there to be before it.
    listing.before = Some(id(1));
    assert_eq!(numbers(&world, &listing), (vec![], None));
}

#[test]
fn what_is_filtered_out_takes_no_room_on_a_page() {
    let mut world = World::new();
    for number in 1..=6 {
        let passive = if number % 2 == 0 { "bank-c" } else { "bank-b" };
        world.submit(number, job_between("bank-a", passive));
    }
    world.cancel(4).unwrap();
    let of = |party_name: &str| Listing {
        parties: vec![party(party_name)],
        limit: Some(2),
        ..Listing::default()
    };
    assert_eq!(numbers(&world, &of("bank-c")), (vec![6, 4], Some(4)));
    assert_eq!(numbers(&world, &of("bank-d")), (vec![], None));
    let queued = Listing {
        state: Some(JobState::Queued),
        ..of("bank-c")
    };
    assert_eq!(numbers(&world, &queued), (vec![6, 2], None));
    let bobs = Listing {
        submitted_by: Some("user/bob".parse().unwrap()),
        ..Listing::default()
    };
    assert_eq!(numbers(&world, &bobs), (vec![], None));
}
