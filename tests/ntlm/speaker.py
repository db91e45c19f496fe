"""NTLM clients that others wrote, behind one face: pyspnego, and gss-ntlmssp below python3-gssapi.

    speaker = make(library, user, password, service, host, bindings)
    negotiate = speaker.step(None)
    authenticate = speaker.step(challenge)

`bindings` is the application data of the channel bindings, or None. Nothing here makes a message by hand.
"""

import os
import tempfile


class Pyspnego:
    """With an integrity code, a target name and channel bindings, as Windows does."""

    def __init__(self, user, password, service, host, bindings):
        import spnego
        from spnego.channel_bindings import GssChannelBindings

        self.client = spnego.client(
            user,
            password,
            hostname=host,
            service=service,
            protocol="ntlm",
            options=spnego.NegotiateOptions.use_ntlm,
            channel_bindings=bindings and GssChannelBindings(application_data=bindings),
        )

    def step(self, token):
        return self.client.step(token)


class GssNtlmssp:
    """The mechanism for MIT's GSSAPI. It takes passwords from a file alone, and domains with them."""

    def __init__(self, user, password, service, host, bindings):
        import gssapi
        from gssapi.raw import ChannelBindings

        mechanism = gssapi.OID.from_int_seq("1.3.6.1.4.1.311.2.2.10")
        domain, _, name = user.rpartition("\\")
        self.file = tempfile.NamedTemporaryFile("w", encoding="utf-8")
        self.file.write(f"{domain}:{name}:{password}\n")
        self.file.flush()
        os.environ["NTLM_USER_FILE"] = self.file.name
        who = gssapi.Name(user, gssapi.NameType.user)
        credentials = gssapi.Credentials(name=who, mechs=[mechanism], usage="initiate")
        self.client = gssapi.SecurityContext(
            name=gssapi.Name(f"{service}@{host}", gssapi.NameType.hostbased_service),
            creds=credentials,
            mech=mechanism,
            flags=gssapi.RequirementFlag.integrity,
            usage="initiate",
            channel_bindings=bindings and ChannelBindings(application_data=bindings),
        )

    def step(self, token):
        return self.client.step(token)


LIBRARIES = {"pyspnego": Pyspnego, "gss-ntlmssp": GssNtlmssp}


def make(library, user, password, service, host, bindings):
    """A client for one login."""
    return LIBRARIES[library](user, password, service, host, bindings)
