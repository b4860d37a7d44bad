<?php
// Edu-iX as far as a distributor sees it: PHP's ext-soap tells our endpoint about one person.
// php notifier.php WSDL USERNAME PERSON USERID, the password on stdin; then once more, wrongly.

declare(strict_types=1);

[, $wsdl, $username, $person, $user] = $argv;
$password = trim((string) fgets(STDIN));
const TYPES = 'urn:edu-ix:notification:types:4.0';

$client = new SoapClient($wsdl, ['cache_wsdl' => WSDL_CACHE_NONE, 'connection_timeout' => 10]);
foreach ([$password, 'wrong'] as $sent) {
    $header = new SoapHeader(TYPES, 'loginHeader', ['username' => $username, 'password' => $sent]);
    $request = ['distributorPersonID' => $person, 'userID' => $user];
    try {
        $client->__soapCall('prematchChanged', [$request], null, $header);
        echo "prematchChanged\tdone\n";
    } catch (SoapFault $fault) {
        echo "fault\t", $fault->detail->Fault->code, "\n";
    }
}
