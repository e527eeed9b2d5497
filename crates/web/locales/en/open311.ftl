# What Open311 answers to a request that it cannot serve. Names of parameters and their values stay as the specification
# writes them.

open311-no-service = service_code: there is no service { $x } here
open311-no-request = there is no service request { $x } here
open311-no-resource = there is no such resource; end the address in .xml or .json
open311-not-listed = there is no such resource; /open311 lists them
open311-method = this resource does not take that method
open311-no-place = no place is in force here yet
open311-no-jurisdiction = jurisdiction_id: there is no jurisdiction { $x } here
open311-which-jurisdiction = jurisdiction_id is missing; it is one of { $known }
open311-key-needed = an api_key is needed to write here; ask the place for one
open311-two-keys = two different api_keys were sent; send one, as api_key or in the header X-Api-Key
open311-no-number = { $name }: { $x } is no number
open311-no-count = { $name }: { $x } is no whole number from 1 on
open311-no-metres = { $name }: write metres, more than 0
open311-no-point = lat, long: write degrees, lat from -90 to 90, long from -180 to 180
open311-no-latitude = lat: { $x } is outside -90 to 90 (degrees, WGS 84)
open311-no-longitude = long: { $x } is outside -180 to 180 (degrees, WGS 84)
open311-swapped-point = lat: { $lat } is outside -90 to 90; if the two were swapped, write lat={ $long }, long={ $lat }
open311-half-point = lat and long belong together; one of them is missing
open311-no-time = { $name }: { $x } is no time; write a date and time with its zone, such as 2026-05-08T10:20:00Z
open311-no-box = bbox: write west,south,east,north in degrees, west less than east and south less than north
open311-form-kind = send application/x-www-form-urlencoded, or multipart/form-data with files
open311-form-boundary = this multipart/form-data has no boundary
open311-form-broken = this multipart/form-data breaks off or is not well formed
open311-form-too-large = this form is too large; without files it has at most { $most } KiB
open311-too-many-photos = at most { $most } photos at once
open311-photo-too-large = a photo has at most { $most } MB
open311-missing = { $name } is missing
open311-attribute-missing = attribute[{ $x }] is missing; this service needs it
open311-no-location = a location is missing: send lat and long, or address_string, or address_id
open311-no-address = address_id: { $x } is no code of an area here
open311-too-long = description: it has { $letters } letters with status and media_url; at most { $most } fit
open311-media-url = media_url: write an address that begins with https:// or http://
open311-too-deep = page: at most { $most } events can be skipped; narrow the dates
open311-update-id = update_id: at most { $most } bytes fit
open311-nothing-said = description and status are both missing; say what happened
open311-too-many-ids = service_request_id: at most { $most } ids at once
open311-no-status = status: { $x } is none of { $known }
open311-too-large = this is more than fits into one request; send fewer or smaller photos
open311-too-often = too many requests from your address; slow down
open311-broken = something went wrong here
open311-busy = the service is busy; try again soon
open311-bad-key = the api_key is missing, unknown, revoked or over
open311-missing-scope = this api_key may not do that: it lacks the scope { $x }; ask the place for a key that has it
open311-key-reused = this Idempotency-Key came with another body before; use a new key for a new report
open311-failed = something went wrong here; tell the operator this number: { $id }
