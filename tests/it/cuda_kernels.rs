//! The kernels for CUDA devices, run on the CPU: their source is plain enough to be compiled as
//! C++, with a thread for each of theirs.

use std::process::Command;

const KERNELS: &str = include_str!("../../src/kernel/cuda/kernels.cu");

#[test]
fn kernels_for_cuda_compute_what_they_should() {
    // What plain C++ does not know.
    let plain = [
        (r#"asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));"#, "y = half_to_float(x.bits);"),
        (r#"asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));"#, "y.bits = float_to_half(x);"),
        (r#"extern "C" "#, ""),
    ];
    let mut kernels = KERNELS.to_string();
    for (cuda, plain) in plain {
        assert!(kernels.contains(cuda), "{cuda} is not in the kernels any more");
        kernels = kernels.replace(cuda, plain);
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kernels.inc"), kernels).unwrap();
    let program = folder.path().join("emulated");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/cuda/emulated.cpp");
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    let arguments = ["-std=c++20", "-O1", "-ffp-contract=off", "-w", "-pthread", "-I"];
    let compiled = Command::new(&compiler)
        .args(arguments)
        .arg(folder.path())
        .arg(source)
        .arg("-o")
        .arg(&program)
        .output();
    match compiled {
        Ok(done) if done.status.success() => {}
        Ok(done)
            if String::from_utf8_lossy(&done.stderr).contains("c++20")
                || String::from_utf8_lossy(&done.stderr).contains("_Float16") =>
        {
            eprintln!("left out: {compiler} is older than C++20 or has no 16-bit floats");
            return;
        }
        Ok(done) => panic!("{}", String::from_utf8_lossy(&done.stderr)),
        Err(why) => {
            eprintln!("left out: there is no C++ compiler ({compiler}: {why}); name one by CXX");
            return;
        }
    }
    let done = Command::new(&program).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}
