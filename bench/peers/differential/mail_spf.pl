# Mail::SPF over generated worlds: see pyspf.py for what is read and written.
use strict;
use warnings;

use Mail::SPF;
use Net::DNS;
use Net::DNS::Resolver::Programmable;

my %world;

sub record {
    my ($name, $type, $text) = @_;
    my %data = (name => $name, ttl => 60, class => 'IN', type => $type);
    if ($type eq 'TXT') {
        my $octets = pack('H*', $text);
        my @strings = $octets eq '' ? ('') : unpack('(a255)*', $octets);
        return Net::DNS::RR->new(%data, txtdata => \@strings);
    }
    if ($type eq 'MX') {
        my ($preference, $exchange) = split / /, $text;
        return Net::DNS::RR->new(%data, preference => $preference, exchange => $exchange);
    }
    return Net::DNS::RR->new(%data, ptrdname => $text) if $type eq 'PTR';
    return Net::DNS::RR->new(%data, address => $text);
}

my $resolver = Net::DNS::Resolver::Programmable->new(
    resolver_code => sub {
        my ($name, $type) = @_;
        (my $key = lc $name) =~ s/\.$//;
        my $known = $world{"$key $type"} or return ('NXDOMAIN', 1);
        my ($status, @records) = @$known;
        return ('SERVFAIL', 1) if $status eq 'servfail';
        return ('query timed out') if $status eq 'timeout';
        return ('NOERROR', 1, map { record($name, $type, $_) } @records);
    });
my $server = Mail::SPF::Server->new(dns_resolver => $resolver, query_rr_types => Mail::SPF::Server->query_rr_type_txt);

$| = 1;
while (my $line = <STDIN>) {
    chomp $line;
    my ($word, @fields) = split /\t/, $line, -1;
    if ($word eq 'answer') {
        my ($name, $type, $status, @records) = @fields;
        $world{"$name $type"} = [$status, @records];
        next;
    }
    my ($address, $helo, $sender) = @fields;
    my $result = eval {
        my $request = Mail::SPF::Request->new(
            versions => [1],
            scope => 'mfrom',
            identity => $sender,
            ip_address => $address,
            helo_identity => $helo);
        $server->process($request)->code;
    };
    $result = 'crash' unless defined $result;
    %world = ();
    print "$result\n";
}
