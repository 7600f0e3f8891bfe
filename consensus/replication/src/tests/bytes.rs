//! The bytes of letters between keepers, of pieces for followers, and of the store's rows. openraft's own types are among
//! them: another openraft that lays them otherwise could read neither the stores nor the letters of this one.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect_file;
use ledger::command::{Command, Entry, Outcome, Proposed};
use openraft::error::{InstallSnapshotError, SnapshotMismatch};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    VoteRequest, VoteResponse,
};
use openraft::{EntryPayload, Membership, SnapshotSegmentId};
use vocabulary::{Digest, HostId, LedgerIndex, Span, StoreId, WallNote};

use super::golden::{Page, every};
use super::toy::log_id;
use crate::letter::{Body, Letter, Reply};
use crate::piece::{self, Part, Piece};
use crate::raft::{
    LogEntry, LogId, Member, Mesh, Outcomes, SnapshotMeta, Stamped, StoredMembership, Vote,
};
use crate::shelf::ImageNote;

type Payload = EntryPayload<Mesh>;
type Appended = AppendEntriesResponse<u64>;
type PieceBody = piece::Body;
type Purged = (LogId, Digest);
type Diverged = String;

fn one_entry() -> Entry {
    let tick = Proposed { by: HostId([9; 16]), command: Command::Tick };
    Entry { elapsed: Span::milliseconds(1_001), wall: WallNote(70_000), commands: vec![tick] }
}

fn payload() -> Payload {
    EntryPayload::Normal(Stamped { term: 4, entry: one_entry() })
}

fn membership() -> Membership<u64, Member> {
    let nodes = [(11, 1), (12, 2), (13, 3)];
    let nodes: BTreeMap<u64, Member> =
        nodes.map(|(store, host)| (store, Member { host: HostId([host; 16]) })).into();
    Membership::new(vec![BTreeSet::from([11, 12])], nodes)
}

fn meta() -> SnapshotMeta {
    SnapshotMeta {
        last_log_id: Some(log_id(4, 300)),
        last_membership: StoredMembership::new(Some(log_id(1, 2)), membership()),
        snapshot_id: "4-300".into(),
    }
}

fn put_letters(page: &mut Page) {
    let (to, from) = (11, 12);
    let vote = Vote::new(5, 12);
    let append = |entries, leader_commit| {
        let vote = Vote::new_committed(5, 12);
        Body::Append(AppendEntriesRequest {
            vote,
            prev_log_id: Some(log_id(4, 299)),
            entries,
            leader_commit,
        })
    };
    let entry = LogEntry { log_id: log_id(5, 300), payload: payload() };
    every!(page, Body {
        Body::Append(_) => [append(vec![], None), append(vec![entry], Some(log_id(4, 298)))],
        Body::Vote(_) => [Body::Vote(VoteRequest::new(vote, Some(log_id(4, 299))))],
        Body::Image(_) => [Body::Image(InstallSnapshotRequest {
            vote,
            meta: meta(),
            offset: 262_144,
            data: vec![1, 2, 3],
            done: true,
        })],
    });
    let body = Body::Vote(VoteRequest::new(vote, None));
    every!(page, Letter { Letter { .. } => [Letter { to, from, body }] });
}

fn put_replies(page: &mut Page) {
    let vote = Vote::new(5, 12);
    let segment = |id: &str, offset| SnapshotSegmentId { id: id.into(), offset };
    let mismatch = SnapshotMismatch { expect: segment("4-300", 0), got: segment("4-299", 7) };
    every!(page, Appended {
        AppendEntriesResponse::Success => [AppendEntriesResponse::Success],
        AppendEntriesResponse::PartialSuccess(_) => [
            AppendEntriesResponse::PartialSuccess(None),
            AppendEntriesResponse::PartialSuccess(Some(log_id(4, 299))),
        ],
        AppendEntriesResponse::Conflict => [AppendEntriesResponse::Conflict],
        AppendEntriesResponse::HigherVote(_) => [AppendEntriesResponse::HigherVote(vote)],
    });
    every!(page, Reply {
        Reply::Append(_) => [Reply::Append(AppendEntriesResponse::Conflict)],
        Reply::Vote(_) => [Reply::Vote(VoteResponse::new(vote, Some(log_id(4, 299)), true))],
        Reply::Image(_) => [Reply::Image(InstallSnapshotResponse { vote })],
        Reply::ImageMismatch(InstallSnapshotError::SnapshotMismatch(_)) => [
            Reply::ImageMismatch(InstallSnapshotError::SnapshotMismatch(mismatch)),
        ],
        Reply::Refused(_) => [Reply::Refused("another store's".into())],
    });
}

fn put_pieces(page: &mut Page) {
    let (after, upto) = (LedgerIndex(7), LedgerIndex(9));
    let image = || Part { upto, part: 1, parts: 3, before: Digest([6; 32]), bytes: vec![1, 2] };
    let entries = || vec![(LedgerIndex(8), one_entry())];
    every!(page, PieceBody {
        PieceBody::Entries { .. } => [PieceBody::Entries { after, upto, entries: entries() }],
        PieceBody::Image(_) => [PieceBody::Image(image())],
    });
    every!(page, Piece { Piece { .. } => [Piece::of(PieceBody::Image(image()))] });
}

fn put_rows(page: &mut Page) {
    every!(page, Payload {
        EntryPayload::Blank => [EntryPayload::Blank],
        EntryPayload::Normal(_) => [payload()],
        EntryPayload::Membership(_) => [EntryPayload::Membership(membership())],
    });
    every!(page, LogEntry { LogEntry { .. } => [
        LogEntry { log_id: log_id(5, 300), payload: EntryPayload::Blank },
    ] });
    every!(page, Vote { Vote { .. } => [Vote::new(5, 12), Vote::new_committed(5, 12)] });
    every!(page, StoreId { StoreId(_) => [StoreId(11)] });
    every!(page, Purged { (_, _) => [(log_id(4, 299), Digest([6; 32]))] });
    every!(page, ImageNote { ImageNote { .. } => [
        ImageNote { meta: meta(), generation: 2, parts: 3, head: Digest([6; 32]) },
    ] });
    every!(page, Diverged { _ => ["after entry 1000".to_owned()] });
    every!(page, Outcomes { Outcomes(_) => [Outcomes(vec![Outcome::Done])] });
}

/// The page's bytes are bent elsewhere, too.
pub(super) fn page() -> Page {
    let mut page = Page::of(expect_file!["bytes/keepers.txt"]);
    put_letters(&mut page);
    put_replies(&mut page);
    put_pieces(&mut page);
    put_rows(&mut page);
    page
}

#[test]
fn the_bytes_of_letters_pieces_and_rows_are_those_of_the_page() {
    page().check();
}

#[test]
fn letters_pieces_and_rows_of_the_first_version_are_laid_and_read_as_then() {
    page().holds(include_str!("bytes/1/keepers.txt"));
}
