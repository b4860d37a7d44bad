# Edu-iX as far as a distributor sees it: Perl's SOAP::Lite tells our endpoint what changed.
# perl notifier.pl ADDRESS USERNAME, the password on stdin; each event once, then one wrongly.
# Its reader of WSDLs takes every operation for a remote procedure, so it is told the words.
use strict;
use warnings;
use SOAP::Lite;

my ($address, $username) = @ARGV;
chomp(my $password = <STDIN>);
my $types = 'urn:edu-ix:notification:types:4.0';

sub element { return SOAP::Data->name(@_)->attr({}) }

sub told {
    my ($operation, $sent, @content) = @_;
    my $client = SOAP::Lite->proxy($address, timeout => 30)->on_fault(sub { return $_[1] });
    $client->on_action(sub { return '"urn:edu-ix:notification#' . $operation . '"' });
    my $login = \SOAP::Data->value(
        element(username => $username)->type('string'), element(password => $sent)->type('string'));
    my $header = SOAP::Header->name(loginHeader => $login)->attr({ xmlns => $types });
    my $method = SOAP::Data->name("${operation}Request")->attr({ xmlns => $types });
    my $answer = $client->call($method, @content, $header);
    if (!ref $answer) { die "no answer: $answer" }
    print $answer->fault ? "fault\t" . $answer->valueof('//detail/Fault/code') : "$operation\tdone", "\n";
}

my @person = (element(distributorPersonID => 'P-perl'), element(userID => 'u-perl'));
my @entries = map { element(specification => \SOAP::Data->value(@$_)) } (
    [element(amount => 1), element(responseID => 'R-1')],
    [element(amount => 1), element(responseID => 'R-2'), element(errorCode => 1042)]);
told('prematchChanged', $password, @person);
told('specificationChanged', $password,
    element(distributorCreditID => 'C-perl'), element(state => 'Active'), @entries);
told('prematchChanged', 'wrong', @person);
