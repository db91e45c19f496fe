# Fetches and deletes everything with Perl's Net::POP3, one file a message.
#
# usage: net_pop3_fetch.pl HOST PORT clear|stls|tls CA-FILE USER PASSWORD user|sasl|gssapi FOLDER

use strict;
use warnings;
use Net::POP3;

my ($host, $port, $transport, $authority, $user, $password, $how, $folder) = @ARGV;

my @tls = (SSL_ca_file => $authority, SSL_verify_mode => 1, SSL_verifycn_name => 'pop.example.test');
my @implicit = $transport eq 'tls' ? (SSL => 1, @tls) : ();
my $server = Net::POP3->new($host, Port => $port, Timeout => 20, @implicit) or die "no connection: $@";
if ($transport eq 'stls') {
    $server->starttls(@tls) or die 'STLS: ' . $server->message;
}
my $sasl = $how eq 'gssapi' && do {
    require Authen::SASL;
    Authen::SASL->new(mechanism => 'GSSAPI', callback => { user => $user });
};
my $count = $sasl ? $server->auth($sasl) && ($server->popstat)[0] : $how eq 'sasl' ? $server->auth($user, $password) && ($server->popstat)[0] : $server->login($user, $password);
defined $count or die 'login: ' . $server->message;
my $uids = $server->uidl or die 'UIDL: ' . $server->message;
$count == keys %$uids or die "$count messages and other unique ids";
for my $number (1 .. $count) {
    my $lines = $server->get($number) or die "RETR $number: " . $server->message;
    # Net::POP3 gives LF line ends without TLS, CRLF with it.
    s/\r\n\z/\n/ for @$lines;
    open my $file, '>:raw', "$folder/$number" or die "$folder/$number: $!";
    print $file @$lines or die "$folder/$number: $!";
    close $file or die "$folder/$number: $!";
    $server->delete($number) or die "DELE $number: " . $server->message;
}
$server->quit or die 'QUIT: ' . $server->message;
