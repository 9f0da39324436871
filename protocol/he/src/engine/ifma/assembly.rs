//! What the compiler made of the kernels: no copies of memory.
//!
//! Registers that are spilled to an array and copied about cost a kernel two
//! thirds of its speed, and no other test would notice. So this one reads the
//! machine code of the program that it is part of (kernels are optimised in
//! tests as in a release), with the disassembler that comes with every linker
//! of GNU. A kernel may call a kernel, and what panics.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::HashMap, env, process::Command};

/// What a kernel's name begins with.
const KERNELS: &str = "entente_he::engine::ifma::processor::";

/// What `objdump` says of this program.
fn objdump(arguments: &[&str]) -> String {
    let output = Command::new("objdump")
        .args(arguments)
        .arg(env::current_exe().unwrap())
        .output()
        .expect("objdump, of GNU binutils, is needed to read the kernels' code");
    assert!(output.status.success(), "objdump {arguments:?} failed");
    String::from_utf8(output.stdout).unwrap()
}

/// `hexadecimal <name>` to both.
fn named(text: &str) -> Option<(u64, &str)> {
    let (address, name) = text.trim().split_once(" <")?;
    let address = u64::from_str_radix(address.trim(), 16).ok()?;
    Some((address, name.trim_end_matches(':').strip_suffix('>')?))
}

/// By slot, what the loader puts in: a symbol of a library, or the address of
/// a function of this program.
fn slots() -> HashMap<u64, String> {
    let relocations = objdump(&["--dynamic-reloc"]);
    let slots = relocations.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let slot = u64::from_str_radix(words.next()?, 16).ok()?;
        Some((slot, words.nth(1)?.to_owned()))
    });
    slots.collect()
}

#[test]
fn no_kernel_copies_memory() {
    let (code, slots) = (
        objdump(&["--disassemble", "--demangle", "--no-show-raw-insn"]),
        slots(),
    );
    let functions: HashMap<u64, &str> = code
        .lines()
        .filter(|line| line.ends_with(">:"))
        .filter_map(named)
        .collect();
    // A call's target by name: `call 1234 <name>`, or through a slot,
    // `call *0x5678(%rip)  # 1234 <...>`.
    let target = |call: &str| -> String {
        let Some((_, slot)) = call.split_once('#') else {
            return named(call).map_or(call, |(_, name)| name).to_owned();
        };
        let filled = named(slot).and_then(|(slot, _)| slots.get(&slot));
        let filled = filled.map_or(call, String::as_str);
        let address = filled.strip_prefix("*ABS*+0x");
        address
            .and_then(|address| u64::from_str_radix(address, 16).ok())
            .and_then(|address| functions.get(&address).copied())
            .unwrap_or(filled)
            .to_owned()
    };
    let (mut kernel, mut multiply_adds) = (None, 0);
    for line in code.lines() {
        if line.ends_with(">:") {
            kernel = named(line).map(|(_, name)| name);
        }
        let Some(kernel) = kernel.filter(|name| name.starts_with(KERNELS)) else {
            continue;
        };
        multiply_adds += usize::from(line.contains("vpmadd52"));
        // A jump to what a register says is a `match`; a call at a function's
        // end is one through a slot.
        let last = line
            .split_once("jmp    *")
            .filter(|(_, to)| to.contains('#'));
        let call = line.split_once("call ").or(last);
        if let Some((_, call)) = call {
            let target = target(call);
            let panics = ["panic", "_fail"].iter().any(|word| target.contains(word));
            assert!(
                panics || target.starts_with(KERNELS),
                "{kernel} calls {target}"
            );
        }
    }
    // Those of the three loops over limbs, at least: the kernels were seen.
    assert!(multiply_adds > 300, "{multiply_adds} multiply-adds");
}
