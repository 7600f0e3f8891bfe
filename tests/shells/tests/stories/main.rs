//! Stories of whole daemons in virtual time. Each world has a seed; a failed story prints it.

mod calm;
mod certificates;
mod chaos;
mod cut_off;
mod faults;
mod keepers;
mod membership;
mod newcomers;
mod reports;
mod seals;
mod trace;
mod votes;
