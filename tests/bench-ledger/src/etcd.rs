//! The same work on three members of etcd, on loopback and on the same disk, in the same run; where etcd is installed.
//!
//! A cycle is a lease that is granted, a key that is put under it where nobody has put it, and the lease revoked: three requests, each
//! answered when it stands on the disks of two of three members. They go to the leader, over one connection for each client, in JSON: the way
//! through etcd's own gateway is in its figures, as is the loopback.
//! Law BL6: every answer is looked at; a key that was there already, or anything but 200, ends the run as failed.
//! Not here: what a cycle of hale is (see `cycles`).

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::cycles::{Cycle, FIGURE, WARM_UP, cell, micros, note};
use crate::fault::BenchFault;
use crate::figures::Sample;

/// As many as hale has keepers.
const MEMBERS: usize = 3;

/// Until all three have found each other.
const LEADS_WITHIN: Duration = Duration::from_secs(30);

/// As long as a lease of hale's.
const LEASE_SECONDS: u32 = 30;

/// An answer is some hundred bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Three members; they end when this is dropped.
pub struct Etcd {
    version: String,
    members: Vec<Member>,
}

struct Member {
    process: Child,
    address: SocketAddr,
}

impl Drop for Member {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the installed etcd says of its version; none where it is not installed.
pub fn installed() -> Option<String> {
    let told = Command::new("etcd").arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    Some(text.lines().next()?.replace("etcd Version: ", "etcd "))
}

impl Etcd {
    /// Starts the members of the installed version with their files in this folder, and waits for a leader.
    pub async fn raise(version: String, folder: &Path) -> Result<Self, BenchFault> {
        let ports = free_ports(2 * MEMBERS)?;
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        let peers: Vec<String> =
            (0..MEMBERS).map(|nth| format!("m{nth}={}", at(ports[nth]))).collect();
        let start = |nth: usize| {
            let (peer, client) = (at(ports[nth]), at(ports[MEMBERS + nth]));
            let mut etcd = Command::new("etcd");
            etcd.args(["--name", &format!("m{nth}"), "--log-level", "error"])
                .arg("--data-dir")
                .arg(folder.join(format!("etcd-{nth}")))
                .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
                .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
                .args(["--initial-cluster", &peers.join(","), "--initial-cluster-state", "new"])
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let process = etcd.spawn().map_err(BenchFault::of("start etcd"))?;
            Ok(Member {
                process,
                address: SocketAddr::from((Ipv4Addr::LOCALHOST, ports[MEMBERS + nth])),
            })
        };
        let members = (0..MEMBERS).map(start).collect::<Result<_, BenchFault>>()?;
        let raised = Self { version, members };
        raised.leader().await?;
        Ok(raised)
    }

    /// So many clients for so long.
    pub async fn measure(
        &self,
        width: usize,
        (span, run): (Duration, u64),
    ) -> Result<Sample, BenchFault> {
        let mut sample = Sample::new((FIGURE, &cell(width)), &self.version, run);
        let leader = self.leader().await?;
        let began = Instant::now() + WARM_UP;
        let clients: Vec<_> = (0..width)
            .map(|number| tokio::spawn(client((leader, number), (began, span))))
            .collect();
        let mut cycles = Vec::new();
        for client in clients {
            cycles.extend(client.await.map_err(BenchFault::of("run a client"))??);
        }
        note(&mut sample, &cycles, span);
        Ok(sample)
    }

    /// Where the leader listens.
    async fn leader(&self) -> Result<SocketAddr, BenchFault> {
        let until = Instant::now() + LEADS_WITHIN;
        loop {
            for member in &self.members {
                if is_leader(member.address).await.unwrap_or(false) {
                    return Ok(member.address);
                }
            }
            if Instant::now() > until {
                return Err(BenchFault::new("no member of etcd leads"));
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn is_leader(address: SocketAddr) -> Result<bool, BenchFault> {
    let status = Line::open(address).await?.post("/v3/maintenance/status", &json!({})).await?;
    let own = &status["header"]["member_id"];
    Ok(own.is_string() && *own == status["leader"])
}

/// Held together until all are known, so that none is given twice.
fn free_ports(count: usize) -> Result<Vec<u16>, BenchFault> {
    let finding = BenchFault::of("find a free port");
    let held: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(&finding))
        .collect::<Result<_, _>>()?;
    let port = |held: &TcpListener| held.local_addr().map(|at| at.port()).map_err(&finding);
    held.iter().map(port).collect()
}

async fn client(
    (leader, number): (SocketAddr, usize),
    (began, span): (Instant, Duration),
) -> Result<Vec<Cycle>, BenchFault> {
    let mut line = Line::open(leader).await?;
    // Any eight letters are six bytes in base64, as which etcd wants its keys.
    let key = format!("case{number:04}");
    let mut cycles = Vec::new();
    loop {
        let at = Instant::now();
        if at >= began + span {
            return Ok(cycles);
        }
        let cycle = cycle(&mut line, &key).await?;
        if at >= began && Instant::now() <= began + span {
            cycles.push(cycle);
        }
    }
}

async fn cycle(line: &mut Line, key: &str) -> Result<Cycle, BenchFault> {
    let at = Instant::now();
    let granted = line.post("/v3/lease/grant", &json!({ "TTL": LEASE_SECONDS })).await?;
    let lease = &granted["ID"];
    if !lease.is_string() {
        return Err(BenchFault::new(format!("etcd gave no lease: {granted}")));
    }
    let put = json!({
        "compare": [{ "key": key, "target": "CREATE", "createRevision": "0" }],
        "success": [{ "requestPut": { "key": key, "value": key, "lease": lease } }],
    });
    let put = line.post("/v3/kv/txn", &put).await?;
    if put["succeeded"] != json!(true) {
        return Err(BenchFault::new(format!("etcd had the key already: {put}")));
    }
    let acquired_us = micros(at);
    line.post("/v3/lease/revoke", &json!({ "ID": lease })).await?;
    Ok(Cycle { acquired_us, released_us: micros(at) })
}

/// One connection to a member.
struct Line(TcpStream);

impl Line {
    async fn open(address: SocketAddr) -> Result<Self, BenchFault> {
        let stream = TcpStream::connect(address).await.map_err(BenchFault::of("reach etcd"))?;
        stream.set_nodelay(true).map_err(BenchFault::of("reach etcd"))?;
        Ok(Self(stream))
    }

    async fn post(&mut self, path: &str, body: &Value) -> Result<Value, BenchFault> {
        let body = body.to_string();
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: etcd\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.0.write_all(request.as_bytes()).await.map_err(BenchFault::of("ask etcd"))?;
        let mut read = Vec::new();
        loop {
            if let Some(answer) = answer(&read)? {
                return Ok(answer);
            }
            let more = self.0.read_buf(&mut read).await.map_err(BenchFault::of("hear etcd"))?;
            if more == 0 || read.len() > ANSWER_BYTES_MAX {
                let told = String::from_utf8_lossy(&read).into_owned();
                return Err(BenchFault::new(format!("etcd's answer to {path} is cut: {told:?}")));
            }
        }
    }
}

/// The answer's body, once it is whole.
fn answer(read: &[u8]) -> Result<Option<Value>, BenchFault> {
    let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
    let body = &read[end + 4..];
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|length| length.trim().parse::<usize>().ok());
    let length = length.ok_or_else(|| {
        BenchFault::new(format!("etcd's answer does not say how long it is: {head}"))
    })?;
    if body.len() < length {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&body[..length]);
    if !head.starts_with("http/1.1 200 ") {
        return Err(BenchFault::new(format!("etcd refused: {head} {text}")));
    }
    serde_json::from_str(&text).map(Some).map_err(BenchFault::of("read etcd's answer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_once_it_is_whole_and_only_a_200_is_one() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"ID\":\"7\"}";
        assert_eq!(answer(&whole[..20]).ok(), Some(None));
        assert_eq!(answer(&whole[..whole.len() - 1]).ok(), Some(None));
        assert_eq!(answer(whole).ok(), Some(Some(json!({ "ID": "7" }))));
        let refused = b"HTTP/1.1 503 Unavailable\r\nContent-Length: 2\r\n\r\n{}";
        assert!(answer(refused).is_err());
        assert!(answer(b"HTTP/1.1 200 OK\r\n\r\n{}").is_err(), "its length is not said");
    }
}
