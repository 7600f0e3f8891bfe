//! The schema files, made from the types that are printed.

use schemars::{JsonSchema, schema_for};

use super::{
    AddOrder, Answer, ApproveOrder, AuditPage, AuditRecord, AuditVerified, BindOrder, Body, Cases,
    Certs, Clients, DenyOrder, DismissOrder, EndOrder, ExemptOrder, Explained, FoundOrder, Hosts,
    KeeperList, Leases, MaintainOrder, Maintenance, Ordered, PauseOrder, PolicyDiff, PolicyInForce,
    PolicyOrder, Refusal, ReleaseOrder, ReloadOrder, ReportOrder, ResumeOrder, RetireOrder,
    RevokeOrder, RevokeSlotOrder, RollbackOrder, Scenarios, Simulated, Status, TrustOrder,
    VotesOrder,
};

/// One schema file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Its file name under `docs/operating/schemas`.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// All of them: every answer in its envelope, every order.
pub fn schemas() -> Vec<Schema> {
    vec![
        answer::<Status>(),
        answer::<Hosts>(),
        answer::<Cases>(),
        answer::<Leases>(),
        answer::<Clients>(),
        answer::<KeeperList>(),
        answer::<Maintenance>(),
        answer::<Certs>(),
        answer::<Explained>(),
        answer::<AuditPage>(),
        answer::<AuditRecord>(),
        answer::<AuditVerified>(),
        answer::<PolicyInForce>(),
        answer::<PolicyDiff>(),
        answer::<Scenarios>(),
        answer::<Simulated>(),
        answer::<Ordered>(),
        answer::<Refusal>(),
        order::<PauseOrder>("pause"),
        order::<ResumeOrder>("resume"),
        order::<PolicyOrder>("policy"),
        order::<RollbackOrder>("rollback"),
        order::<RetireOrder>("retire"),
        order::<AddOrder>("add"),
        order::<ExemptOrder>("exempt"),
        order::<DismissOrder>("dismiss"),
        order::<ApproveOrder>("approve"),
        order::<DenyOrder>("deny"),
        order::<MaintainOrder>("maintain"),
        order::<EndOrder>("end-maintenance"),
        order::<RevokeOrder>("revoke"),
        order::<BindOrder>("fleetlock-bind"),
        order::<RevokeSlotOrder>("fleetlock-revoke"),
        order::<VotesOrder>("votes"),
        order::<ReleaseOrder>("release"),
        order::<TrustOrder>("trust"),
        order::<ReloadOrder>("reload"),
        order::<ReportOrder>("report"),
        order::<FoundOrder>("init"),
    ]
}

/// `hale.cases/1` lies in `hale.cases.1.json`.
fn answer<B: Body>() -> Schema {
    file::<Answer<B>>(&B::SCHEMA.replace('/', "."))
}

fn order<O: JsonSchema>(name: &str) -> Schema {
    file::<O>(&format!("order.{name}.1"))
}

fn file<T: JsonSchema>(name: &str) -> Schema {
    let schema = schema_for!(T);
    let text = serde_json::to_string_pretty(&schema).expect("a schema is plain JSON");
    Schema { file: format!("{name}.json"), text: text + "\n" }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use super::*;

    fn folder() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/operating/schemas")
    }

    /// `UPDATE_EXPECT=1` writes them anew, as it does for golden traces.
    #[test]
    fn the_schema_files_are_those_of_the_types_that_are_printed() {
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::create_dir_all(folder()).expect("a folder in our own tree");
            for schema in schemas() {
                std::fs::write(folder().join(schema.file), schema.text).expect("a file in it");
            }
        }
        for schema in schemas() {
            let path = folder().join(&schema.file);
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                committed == schema.text,
                "{}: not what the types say; UPDATE_EXPECT=1 writes it anew",
                schema.file
            );
        }
        let named: BTreeSet<String> = schemas().into_iter().map(|schema| schema.file).collect();
        let lying = std::fs::read_dir(folder()).expect("they are committed");
        let lying: BTreeSet<String> = lying
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".json"))
            .collect();
        assert_eq!(named, lying, "a schema file without a type, or the other way");
    }
}
