"""What a hostile step would try, as the text of one: it tries everything and tells what it got. Each name says what a user would suffer."""

ATTEMPTS = r'''
import ctypes, errno, json, os, signal, socket, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    answer = libc.syscall(number, *arguments)
    return "done" if answer >= 0 else errno.errorcode.get(ctypes.get_errno(), "?")

def read(path):
    with open(path, "rb") as f:
        return "read " + f.read(4000).decode("latin-1")

def write(path):
    with open(path, "ab") as f:
        f.write(b"x")
    return "written"

def environs(secret):
    for pid in os.listdir("/proc"):
        if pid.isdigit() and int(pid) != os.getpid():
            try:
                text = read(f"/proc/{pid}/environ")
            except OSError:
                continue
            if secret in text:
                return "read " + pid
    raise PermissionError("none told")

def connected(family, kind, address):
    with socket.socket(family, kind) as s:
        s.connect(address)
    return "connected"

def pair_to(path):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    a.sendto(b"x", path)
    return "sent"

def stream_to(path):
    a, b = socket.socketpair()
    b.close()
    a.connect(path)
    return "connected"

def kill_all(worker):
    os.kill(-1, 0)
    return "reached"

def changed_mode(path):
    before = os.stat(path).st_mode
    os.chmod(path, 0o777)
    return "changed" if os.stat(path).st_mode != before else "as it was"

def changed_time(path):
    os.utime(path, (1, 1))
    return "changed" if os.stat(path).st_mtime == 1 else "as it was"

def preloaded():
    done = subprocess.run(["/usr/bin/env", "LD_PRELOAD=/nowhere.so", "/bin/cat", "/etc/shadow"], capture_output=True)
    return "read" if done.returncode == 0 and done.stdout else "refused"

def raised(program):
    done = subprocess.run([program, "-c", "id -u"], capture_output=True, stdin=subprocess.DEVNULL)
    return "root" if done.stdout.strip() == b"0" else "refused"

def typed(number):
    import fcntl
    fcntl.ioctl(0, number, b"x")
    return "typed"

def descriptors():
    import stat
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            found[fd] = os.readlink("/proc/self/fd/" + fd)
        except OSError:
            pass
    known = {"socket", "pipe", "/dev/null"}
    return sorted({v.partition(":")[0] for v in found.values() if not v.startswith("/proc/")} - known)

@component()
def attempts(*, told: Annotated[str, Field(description="What there is to reach, as JSON.")]) -> Metrics:
    """Attempts"""
    t = json.loads(told)
    tries = {
        "the machine's password hashes are read": lambda: read("/etc/shadow"),
        "another project's artifact is read": lambda: read(t["artifact"]),
        "another project's artifact is read through the worker's root": lambda: read(f"/proc/{t['worker']}/root{t['artifact']}"),
        "the studio's data folder is listed": lambda: "read " + str(os.listdir(t["data"])),
        "another project's artifact is linked into scratch": lambda: os.link(t["artifact"], "mine") or "linked",
        "the worker's secrets are read from its environment": lambda: environs(t["secret"]),
        "the worker's memory is opened": lambda: read(f"/proc/{t['worker']}/mem"),
        "the worker's open files are listed": lambda: "read " + str(os.listdir(f"/proc/{t['worker']}/fd")),
        "a service on this machine is reached over TCP": lambda: connected(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", t["port"])),
        "a service is reached over IPv6": lambda: connected(socket.AF_INET6, socket.SOCK_STREAM, ("::1", t["port"])),
        "the database's socket is reached": lambda: connected(socket.AF_UNIX, socket.SOCK_STREAM, t["socket"]),
        "a name is looked up, which tells somebody outside": lambda: "found " + str(socket.getaddrinfo("example.org", 80)),
        "raw packets are sent": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW) and "made",
        "a datagram pair is pointed at a service's socket": lambda: pair_to(t["socket"]),
        "a stream pair is pointed at a service's socket": lambda: stream_to(t["socket"]),
        "files are left where everybody writes": lambda: write(t["open"] + "/left"),
        "files are left in /var/tmp": lambda: write("/var/tmp/hr-left"),
        "Python's own library is changed": lambda: write(os.__file__),
        "the studio's own code is changed": lambda: write(context.__file__),
        "a system program is changed": lambda: write("/usr/bin/env"),
        "a cron entry is left": lambda: write("/etc/crontab"),
        "the worker is killed": lambda: os.kill(t["worker"], signal.SIGTERM) or "killed",
        "the worker is stopped": lambda: os.kill(t["worker"], signal.SIGSTOP) or "stopped",
        "the worker is traced": lambda: call(t["ptrace"], 16, t["worker"], 0, 0),
        "the worker's limits are changed": lambda: __import__("resource").prlimit(t["worker"], 7, (9, 9)) and "changed",
        "the worker is made slow": lambda: os.setpriority(os.PRIO_PROCESS, t["worker"], 19) or "changed",
        "somebody's file is opened to all": lambda: changed_mode(t["victim"]),
        "somebody's file looks older": lambda: changed_time(t["victim"]),
        "somebody's file is emptied": lambda: os.truncate(t["victim"], 0) or "emptied",
        "root is had through a setuid program": lambda: raised("/bin/su"),
        "a file is read by a program with a preloaded library": preloaded,
        "text is typed into the administrator's terminal": lambda: typed(0x5412),
        "the disk is opened": lambda: read("/dev/vda"),
        "the kernel's memory is opened": lambda: read("/dev/mem"),
        "the kernel's log is read": lambda: read("/dev/kmsg"),
        "a terminal is opened": lambda: read("/dev/ptmx"),
        "a device is made": lambda: os.mknod("disk", 0o60666, os.makedev(8, 0)) or "made",
        "a pipe that would stall the worker is made": lambda: os.mkfifo("fifo") or "made",
        "a root of its own is taken": lambda: os.chroot(".") or "taken",
        "the account is changed back": lambda: os.setuid(0) or ("root" if t["uid"] != 0 else "?"),
        "it outlives its worker": lambda: "kept" if libc.prctl(1, 0, 0, 0, 0) == 0 else "refused",
    }
    got = {}
    for name, attempt in tries.items():
        try:
            got[name] = attempt()
        except (OSError, PermissionError) as exc:
            got[name] = "refused: " + type(exc).__name__
    calls = {name: call(nr, -1, -1, -1, -1, -1, -1) for name, nr in t["calls"].items()}
    calls["clone into namespaces"] = call(t["clone"], 0x10000000 | 17, 0, 0, 0, 0)
    calls["clone3"] = call(435, 0, 0)
    status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
    return Metrics.of({"got": got, "calls": calls, "environment": dict(os.environ), "uid": os.getuid(), "groups": os.getgroups(),
                       "descriptors": descriptors(), "privileges": [status["NoNewPrivs"], status["CapEff"].strip("0"), status["Seccomp"]]})
'''
