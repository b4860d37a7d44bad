<?php
// Edu-iX as far as a distributor sees it: PHP's ext-soap tells our endpoint what changed.
// php notifier.php WSDL VERSION USERNAME, the password on stdin; each event once, then one wrongly.

declare(strict_types=1);

[, $wsdl, $version, $username] = $argv;
$password = trim((string) fgets(STDIN));

$name = $version === '4.0' ? 'php' : 'php43';
$person = ['distributorPersonID' => "P-$name", 'userID' => "u-$name"];
$credit = ['distributorCreditID' => "C-$name", 'state' => 'Active', 'specification' => [
    ['amount' => 1, 'responseID' => 'R-1'],
    ['amount' => 1, 'responseID' => 'R-2', 'errorCode' => 1042],
]];
if ($version === '4.3') {
    $entry = ['amount' => 1, 'requestID' => 'Q', 'ownerID' => "u-$name"];
    $credit = ['distributorCreditID' => "C-$name", 'isSingleUpdate' => false, 'eckSpecification' => [
        $entry + ['auditID' => 1, 'responseID' => 'R-1', 'timeStamp' => '2026-08-20T09:12:00+02:00'],
        $entry + ['auditID' => 2, 'errorCode' => 1042, 'timeStamp' => '2026-08-20T09:13:00+02:00'],
    ]];
}
$calls = [
    ['prematchChanged', $person, $password],
    ['specificationChanged', $credit, $password],
    ['prematchChanged', $person, 'wrong'],
];
$types = "urn:edu-ix:notification:types:$version";
$client = new SoapClient($wsdl, ['cache_wsdl' => WSDL_CACHE_NONE, 'connection_timeout' => 10]);
foreach ($calls as [$operation, $request, $sent]) {
    $header = new SoapHeader($types, 'loginHeader', ['username' => $username, 'password' => $sent]);
    try {
        $client->__soapCall($operation, [$request], null, $header);
        echo $operation, "\tdone\n";
    } catch (SoapFault $fault) {
        echo "fault\t", $fault->detail->Fault->code, "\n";
    }
}
