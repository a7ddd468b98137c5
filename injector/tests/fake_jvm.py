"""A process that passes for a HotSpot VM from outside, and does on its attach listener what it is told on stdin.

For what a real JVM cannot be made to do: answer late, badly, or never. It maps a file named libjvm.so and catches
SIGQUIT, as the handshake wants to see; it has no counters, so it counts as created two seconds after its start.

usage: fake_jvm.py LIBJVM     stdin: listen | answer TEXT | mute | hang-up | lend PID | quit
"""
import mmap
import os
import signal
import socket
import sys
import threading

signals = 0
behaviour = "answer", "0\\nfake\\n"
held = []


def on_sigquit(number, frame):
    global signals
    signals += 1
    print("sigquit", signals, flush=True)


def listen(pid):
    path = "/tmp/.java_pid%d" % pid
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path + ".tmp")
    listener.listen(5)
    os.chmod(path + ".tmp", 0o600)
    os.rename(path + ".tmp", path)
    # Said before the first client is served: who waits for the socket connects at once.
    print("listening", flush=True)
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    return path


def serve(listener):
    while True:
        client, _ = listener.accept()
        verb, text = behaviour
        if verb == "hang-up":
            client.close()
            continue
        request = b""
        # Version, command and three arguments, each ended by NUL.
        while request.count(b"\0") < 5:
            piece = client.recv(4096)
            if not piece:
                break
            request += piece
        if not request:
            # Somebody looked who is there and went away.
            client.close()
            continue
        print("request", request, flush=True)
        if verb == "mute":
            held.append(client)
            continue
        client.sendall(text.encode().decode("unicode_escape").encode())
        client.close()


with open(sys.argv[1], "rb") as library:
    mapped = mmap.mmap(library.fileno(), 0, prot=mmap.PROT_READ, flags=mmap.MAP_PRIVATE)
signal.signal(signal.SIGQUIT, on_sigquit)
print("ready", flush=True)
sockets = []
for line in sys.stdin:
    word, _, rest = line.rstrip("\n").partition(" ")
    if word == "listen":
        sockets.append(listen(os.getpid()))
    elif word == "lend":
        sockets.append(listen(int(rest)))
    elif word == "quit":
        break
    else:
        behaviour = word, rest
        print("will", word, flush=True)
for path in sockets:
    if os.path.exists(path):
        os.unlink(path)
