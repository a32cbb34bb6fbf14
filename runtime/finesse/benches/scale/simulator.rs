//! The simulated Finesse in a process of its own, so that its memory is not counted.

use std::io::Read;

use topoc_finesse_sim::{Options, Simulator};

/// Two nodes with so many agents; the first line says where they are. Ends with its standard input.
pub(crate) fn run(agents: usize) {
    crate::measure::allow_files();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let simulator = runtime.block_on(Simulator::start(Options::new(agents, 2))).unwrap();
    println!("{}", simulator.announcement());
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}
