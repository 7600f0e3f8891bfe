//! How QUIC is set up: lean, because a host holds hundreds of connections and speaks little on each.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    AsyncTimer, AsyncUdpSocket, ClientConfig, Connecting, ConnectionError, ConnectionId, Endpoint,
    EndpointConfig, IdleTimeout, Incoming, Runtime, ServerConfig, TimeSource, TokioRuntime,
    TransportConfig, ValidationTokenConfig, VarInt,
};
use replication::tasks;
use rustls::time_provider::TimeProvider;
use tokio::task::AbortHandle;

use super::fault::StartFault;
use super::luck::{ConnectionIds, Luck};
use super::settings::{HANDSHAKES_MAX, STREAMS_PER_PEER_MAX, TransportSettings};
use super::tls::Tls;
use crate::identity::Identity;

/// One stream's window: a round's grounds in four turns; memory is taken only while bytes wait.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;

/// One connection's window: four busy streams.
const WINDOW_BYTES: u32 = 256 * 1024;

/// Datagrams that wait to be read: some fifty of the largest.
const DATAGRAMS_IN_BYTES: usize = 64 * 1024;

/// Datagrams that wait to be sent; beyond it the oldest, stalest ones go.
const DATAGRAMS_OUT_BYTES: usize = 16 * 1024;

/// First guess of the round trip: a lost first packet is sent again after three times this.
const INITIAL_ROUND_TRIP: Duration = Duration::from_millis(100);

/// All that a dial or an acceptance needs of quinn.
#[derive(Clone)]
pub(super) struct Quic {
    pub server: ServerConfig,
    /// For hosts that come and go: an idle connection is left to die.
    pub cold: ClientConfig,
    /// For hosts that are kept warm: the dialler speaks before the connection falls asleep.
    pub warm: ClientConfig,
    pub fresh: ClientConfig,
}

impl Quic {
    pub(super) fn new(
        identity: &Identity,
        settings: &TransportSettings,
        luck: &Luck,
    ) -> Result<Self, StartFault> {
        let said = |why: String| StartFault::Tls(why);
        let tls = Tls::new(identity, &settings.wall_clock, &settings.quarantine)
            .map_err(|why| said(why.to_string()))?;
        let crypto = QuicServerConfig::try_from(tls.server).map_err(|why| said(why.to_string()))?;
        let mut server = ServerConfig::new(Arc::new(crypto), Arc::new(luck.key()));
        server
            .transport_config(lean(settings, None))
            .time_source(Arc::new(TokenDates(settings.wall_clock.clone())))
            .max_incoming(HANDSHAKES_MAX)
            // A hello is all that comes before admission.
            .incoming_buffer_size(16 * 1024)
            .incoming_buffer_size_total(1024 * 1024);
        let mut tokens = ValidationTokenConfig::default();
        tokens.sent(0);
        server.validation_token_config(tokens);
        let client = |tls: Arc<rustls::ClientConfig>, keep_alive| -> Result<_, StartFault> {
            let crypto = QuicClientConfig::try_from(tls).map_err(|why| said(why.to_string()))?;
            let mut client = ClientConfig::new(Arc::new(crypto));
            let luck = luck.clone();
            client.transport_config(lean(settings, keep_alive));
            client
                .initial_dst_cid_provider(Arc::new(move || ConnectionId::new(&luck.draw()[..20])));
            Ok(client)
        };
        Ok(Self {
            server,
            cold: client(tls.standing.clone(), None)?,
            warm: client(tls.standing, Some(settings.idle_after / 3))?,
            fresh: client(tls.fresh, None)?,
        })
    }
}

/// An endpoint on a socket: with `server` it accepts, without it only dials.
pub(super) fn endpoint(
    identity: &Identity,
    luck: &Luck,
    socket: Arc<dyn AsyncUdpSocket>,
    server: Option<ServerConfig>,
) -> std::io::Result<Endpoint> {
    let mut config = EndpointConfig::new(Arc::new(identity.reset_key()));
    let ids = luck.clone();
    config.cid_generator(move || Box::new(ConnectionIds(ids.clone()))).rng_seed(Some(luck.draw()));
    Endpoint::new_with_abstract_socket(config, server, socket, Arc::new(Tethering))
}

/// The dates of the tokens by which dialers prove their address. Drawn key, drawn number and this date make a token the same
/// in each run of a test, and it must be: to a dial that has been given up quinn reads a token as frames, and what it then
/// answers goes by the token's bytes.
#[derive(Debug)]
struct TokenDates(Arc<dyn TimeProvider>);

impl TimeSource for TokenDates {
    fn now(&self) -> SystemTime {
        // Without a clock no certificate holds either.
        let passed = self.0.current_time().map_or(0, |now| now.as_secs());
        SystemTime::UNIX_EPOCH + Duration::from_secs(passed)
    }
}

thread_local! {
    /// quinn's task that was begun last.
    static BEGUN: Cell<Option<AbortHandle>> = const { Cell::new(None) };
}

/// Begins a handshake that another has asked for; with it the task by which quinn drives its connection.
pub(super) fn accept(
    knock: Incoming,
) -> (Result<Connecting, ConnectionError>, Option<AbortHandle>) {
    BEGUN.take();
    // Begins that task before it returns, or none.
    let begun = knock.accept();
    (begun, BEGUN.take())
}

/// tokio, but that quinn's tasks begin where ours do.
#[derive(Debug)]
struct Tethering;

impl Runtime for Tethering {
    fn new_timer(&self, at: Instant) -> Pin<Box<dyn AsyncTimer>> {
        TokioRuntime.new_timer(at)
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        BEGUN.set(Some(tasks::spawn(future).abort_handle()));
    }

    fn wrap_udp_socket(
        &self,
        socket: std::net::UdpSocket,
    ) -> std::io::Result<Arc<dyn AsyncUdpSocket>> {
        TokioRuntime.wrap_udp_socket(socket)
    }

    fn now(&self) -> Instant {
        TokioRuntime.now()
    }
}

fn lean(settings: &TransportSettings, keep_alive: Option<Duration>) -> Arc<TransportConfig> {
    let idle = IdleTimeout::try_from(settings.idle_after).unwrap_or(IdleTimeout::from(VarInt::MAX));
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS_PER_PEER_MAX))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .max_idle_timeout(Some(idle))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES))
        .receive_window(VarInt::from_u32(WINDOW_BYTES))
        .send_window(u64::from(WINDOW_BYTES))
        .datagram_receive_buffer_size(Some(DATAGRAMS_IN_BYTES))
        .datagram_send_buffer_size(DATAGRAMS_OUT_BYTES)
        .mtu_discovery_config(None)
        .initial_rtt(INITIAL_ROUND_TRIP)
        .keep_alive_interval(keep_alive)
        .allow_spin(false);
    Arc::new(transport)
}
