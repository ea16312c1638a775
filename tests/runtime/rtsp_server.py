"""A real RTSP server whose frames say which server made them, and when. Needs Debian's GStreamer:

/usr/bin/python3 rtsp_server.py --port 8554 --run 3 [--codec h265] [--size 96x128] [--fps 25]

Each frame carries 24 blocks, black or white, three rows of eight: the number of the run (8 bits),
then the number of the frame (16 bits); below them noise, new in every frame. `read_blocks` of
rtsp.py reads them. Serves rtsp://127.0.0.1:PORT/live, with --still the same frame for ever.
"""

import argparse
import random

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
gi.require_version("GstRtsp", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

ENCODERS = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph264pay",
    "h265": "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph265pay",
    "mjpeg": "jpegenc ! rtpjpegpay",
}


def picture(bits, size, still):
    """GRAY8 bytes: three rows of eight blocks, then noise."""
    height, width = size
    block_height, block_width = height // 4, width // 8
    rows = []
    for row in range(3):
        line = b"".join(
            bytes([235 if bit else 16]) * block_width for bit in bits[row * 8 : row * 8 + 8]
        )
        rows.append((line + bytes(width - len(line))) * block_height)
    top = b"".join(rows)
    grey = 128 if still else random.randrange(60, 200)
    return top + bytes([grey]) * (height * width - len(top))


class Camera(GstRtspServer.RTSPMediaFactory):
    def __init__(self, options):
        super().__init__()
        self.options, self.number = options, 0
        height, width = options.size
        caps = f"video/x-raw,format=GRAY8,width={width},height={height},framerate={options.fps}/1"
        self.set_launch(
            f'( appsrc name=frames is-live=true do-timestamp=true format=time caps="{caps}" '
            "! videoconvert ! video/x-raw,format=I420 "
            f"! {ENCODERS[options.codec]} name=pay0 pt=96 )"
        )
        self.set_shared(True)
        self.connect("media-configure", self.configure)

    def configure(self, _, media):
        frames = media.get_element().get_by_name_recurse_up("frames")
        GLib.timeout_add(1000 // self.options.fps, self.push, frames)

    def push(self, frames):
        number = 0 if self.options.still else self.number
        code = f"{self.options.run:08b}{number % 65536:016b}"
        content = picture([bit == "1" for bit in code], self.options.size, self.options.still)
        self.number += 1
        return frames.emit("push-buffer", Gst.Buffer.new_wrapped(content)) == Gst.FlowReturn.OK


def protect(server, factory, method, user, password):
    """Authentication by the server library's own means."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    if method == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)
    server.set_auth(auth)


def tell(client: GstRtspServer.RTSPClient, context: GstRtspServer.RTSPContext) -> None:
    """Which transport a client asked for and gets, as one line."""
    transport = context.trans.get_transport().lower_transport
    print("tcp" if transport & GstRtsp.RTSPLowerTrans.TCP else "udp", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", required=True)
    parser.add_argument("--run", type=int, default=0)
    parser.add_argument("--codec", choices=ENCODERS, default="h264")
    parser.add_argument("--size", type=lambda t: tuple(map(int, t.split("x"))), default=(96, 128))
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--user", help="NAME:PASSWORD")
    parser.add_argument("--method", choices=["basic", "digest"], default="basic")
    parser.add_argument("--still", action="store_true")
    parser.add_argument("--only", choices=["tcp", "udp"], help="the one transport that it speaks")
    options = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    factory = Camera(options)
    if options.only:
        factory.set_protocols(getattr(GstRtsp.RTSPLowerTrans, options.only.upper()))
    if options.user:
        protect(server, factory, options.method, *options.user.split(":"))
    server.connect("client-connected", lambda _, client: client.connect("setup-request", tell))
    server.get_mount_points().add_factory("/live", factory)
    if server.attach(None) == 0:
        raise SystemExit("the port is taken")
    print("ready", flush=True)
    GLib.MainLoop().run()


main()
