//! A relay that keeps a copy of every byte in both directions.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// The bytes of one direction of one connection, as they pass.
type Stream = Arc<Mutex<Vec<u8>>>;

/// What has passed so far, one stream for each direction of each connection.
#[derive(Clone, Default)]
pub(crate) struct Wiretap {
    streams: Arc<Mutex<Vec<Stream>>>,
    /// One end of each connection, to cut it by.
    ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wiretap {
    /// Listens on a free port and relays to `target`; the port.
    pub(crate) fn listen(&self, target: u16) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tap = self.clone();
        thread::spawn(move || {
            for caller in listener.incoming() {
                let (Ok(caller), Ok(called)) = (caller, TcpStream::connect(("127.0.0.1", target)))
                else {
                    continue;
                };
                tap.ends.lock().unwrap().push(caller.try_clone().unwrap());
                let ends = [
                    (caller.try_clone(), called.try_clone()),
                    (Ok(called), Ok(caller)),
                ];
                for (from, to) in ends {
                    let copy = Stream::default();
                    tap.streams.lock().unwrap().push(copy.clone());
                    let (from, to) = (from.unwrap(), to.unwrap());
                    thread::spawn(move || relay(from, to, &copy));
                }
            }
        });
        port
    }

    /// Cuts all connections.
    pub(crate) fn cut(&self) {
        for end in self.ends.lock().unwrap().drain(..) {
            // One that has ended by itself is cut already.
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.streams.lock().unwrap().len() / 2
    }

    /// Copies of all streams, in the order of their opening: of each
    /// connection first the caller's bytes, then the called one's.
    pub(crate) fn streams(&self) -> Vec<Vec<u8>> {
        self.streams
            .lock()
            .unwrap()
            .iter()
            .map(|stream| stream.lock().unwrap().clone())
            .collect()
    }
}

fn relay(mut from: TcpStream, mut to: TcpStream, copy: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        copy.lock().unwrap().extend_from_slice(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
