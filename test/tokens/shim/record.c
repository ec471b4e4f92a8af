/*
 * A token of PKCS#11 3.2 that knows ML-DSA and ML-KEM by name only: it takes keys whose templates are as the standard has them,
 * refuses all others, and writes every template that it was given to the file SHIM_RECORD. It computes nothing: its signatures are
 * zero bytes, as those of a token that lies.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cryptoki.h"

/* PKCS#11 3.2; the header is older. */
#define ML_KEM 0x49UL
#define ML_DSA 0x4AUL
#define PARAMETER_SET 0x61DUL
#define SEED 0x637UL
#define ENCAPSULATE 0x633UL
#define DECAPSULATE 0x634UL

#define MOST_OBJECTS 32
#define MOST_ATTRIBUTES 32

struct object {
  int used;
  CK_ULONG count;
  CK_ATTRIBUTE list[MOST_ATTRIBUTES];
};

static struct object objects[MOST_OBJECTS];
static CK_OBJECT_HANDLE found[MOST_OBJECTS];
static CK_ULONG foundCount;
static CK_FUNCTION_LIST functions;

/* FIPS 203 and 204: bytes of the public and the expanded private key, by parameter set 1 to 3. */
static const CK_ULONG kemPublic[] = {800, 1184, 1568}, kemPrivate[] = {1632, 2400, 3168};
static const CK_ULONG dsaPublic[] = {1312, 1952, 2592}, dsaPrivate[] = {2560, 4032, 4896};

static void padded(CK_UTF8CHAR *to, const char *text, size_t length) {
  memset(to, ' ', length);
  memcpy(to, text, strlen(text));
}

static CK_ATTRIBUTE_PTR get(CK_ATTRIBUTE_PTR list, CK_ULONG count, CK_ATTRIBUTE_TYPE type) {
  CK_ULONG i;
  for (i = 0; i < count; i++)
    if (list[i].type == type) return &list[i];
  return NULL;
}

static CK_ULONG value(CK_ATTRIBUTE_PTR list, CK_ULONG count, CK_ATTRIBUTE_TYPE type) {
  CK_ATTRIBUTE_PTR attribute = get(list, count, type);
  CK_ULONG out = (CK_ULONG)-1;
  if (attribute != NULL && attribute->ulValueLen == sizeof out) memcpy(&out, attribute->pValue, sizeof out);
  return out;
}

static int is(CK_ATTRIBUTE_PTR list, CK_ULONG count, CK_ATTRIBUTE_TYPE type, CK_BBOOL wanted) {
  CK_ATTRIBUTE_PTR attribute = get(list, count, type);
  return attribute != NULL && attribute->ulValueLen == 1 && *(CK_BBOOL *)attribute->pValue == wanted;
}

static int has(CK_ATTRIBUTE_PTR list, CK_ULONG count, CK_ATTRIBUTE_TYPE type, CK_ULONG length) {
  CK_ATTRIBUTE_PTR attribute = get(list, count, type);
  return attribute != NULL && attribute->ulValueLen == length;
}

/* What section 6 of the standard demands of such keys, and what conclave promises beyond it. */
static CK_RV judge(CK_ATTRIBUTE_PTR list, CK_ULONG count) {
  CK_ULONG class = value(list, count, CKA_CLASS), type = value(list, count, CKA_KEY_TYPE);
  CK_ULONG set = value(list, count, PARAMETER_SET), i, j;
  int kem = type == ML_KEM;
  for (i = 0; i < count; i++)
    for (j = 0; j < i; j++)
      if (list[i].type == list[j].type) return CKR_TEMPLATE_INCONSISTENT;
  if (type != ML_KEM && type != ML_DSA) return CKR_ATTRIBUTE_VALUE_INVALID;
  if (set < 1 || set > 3) return CKR_TEMPLATE_INCOMPLETE;
  if (!is(list, count, CKA_TOKEN, CK_TRUE)) return CKR_TEMPLATE_INCONSISTENT;
  if (class == CKO_PRIVATE_KEY) {
    int safe = is(list, count, CKA_PRIVATE, CK_TRUE) && is(list, count, CKA_SENSITIVE, CK_TRUE) &&
               is(list, count, CKA_EXTRACTABLE, CK_FALSE);
    int whole = has(list, count, SEED, kem ? 64 : 32) &&
                has(list, count, CKA_VALUE, kem ? kemPrivate[set - 1] : dsaPrivate[set - 1]);
    int used = kem ? is(list, count, DECAPSULATE, CK_TRUE) : is(list, count, CKA_SIGN, CK_TRUE);
    return safe && whole && used ? CKR_OK : CKR_TEMPLATE_INCONSISTENT;
  }
  if (class == CKO_PUBLIC_KEY) {
    int whole = has(list, count, CKA_VALUE, kem ? kemPublic[set - 1] : dsaPublic[set - 1]);
    int used = kem ? is(list, count, ENCAPSULATE, CK_TRUE) : is(list, count, CKA_VERIFY, CK_TRUE);
    return whole && used && get(list, count, SEED) == NULL ? CKR_OK : CKR_TEMPLATE_INCONSISTENT;
  }
  return CKR_TEMPLATE_INCOMPLETE;
}

/* One line: the answer, then TYPE=BYTES of each attribute, all in hexadecimal. */
static void record(CK_RV answer, CK_ATTRIBUTE_PTR list, CK_ULONG count) {
  const char *path = getenv("SHIM_RECORD");
  FILE *file = path == NULL ? NULL : fopen(path, "a");
  CK_ULONG i, j;
  if (file == NULL) return;
  fprintf(file, "%lx", (unsigned long)answer);
  for (i = 0; i < count; i++) {
    fprintf(file, " %lx=", (unsigned long)list[i].type);
    for (j = 0; j < list[i].ulValueLen; j++) fprintf(file, "%02x", ((CK_BYTE *)list[i].pValue)[j]);
  }
  fprintf(file, "\n");
  fclose(file);
}

static CK_RV initialize(CK_VOID_PTR arguments) {
  (void)arguments;
  memset(objects, 0, sizeof objects);
  return CKR_OK;
}
static CK_RV finalize(CK_VOID_PTR reserved) { (void)reserved; return CKR_OK; }

static CK_RV getInfo(CK_INFO_PTR info) {
  memset(info, 0, sizeof *info);
  info->cryptokiVersion.major = 3;
  info->cryptokiVersion.minor = 2;
  padded(info->manufacturerID, "conclave tests", sizeof info->manufacturerID);
  padded(info->libraryDescription, "records templates", sizeof info->libraryDescription);
  return CKR_OK;
}

static CK_RV getSlotList(CK_BBOOL present, CK_SLOT_ID_PTR slots, CK_ULONG_PTR count) {
  (void)present;
  if (slots != NULL) slots[0] = 7;
  *count = 1;
  return CKR_OK;
}

static CK_RV getTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info) {
  (void)slot;
  memset(info, 0, sizeof *info);
  padded(info->label, "record", sizeof info->label);
  padded(info->manufacturerID, "conclave tests", sizeof info->manufacturerID);
  padded(info->model, "recorder", sizeof info->model);
  padded(info->serialNumber, "32", sizeof info->serialNumber);
  info->flags = CKF_TOKEN_INITIALIZED;
  return CKR_OK;
}

static CK_RV getMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE_PTR list, CK_ULONG_PTR count) {
  static const CK_MECHANISM_TYPE known[] = {0x0F, 0x17, 0x1C, 0x1D};
  (void)slot;
  if (list != NULL) memcpy(list, known, sizeof known);
  *count = 4;
  return CKR_OK;
}

static CK_RV openSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR data, CK_NOTIFY notify, CK_SESSION_HANDLE_PTR session) {
  (void)slot, (void)flags, (void)data, (void)notify;
  *session = 1;
  return CKR_OK;
}
static CK_RV closeSession(CK_SESSION_HANDLE session) { (void)session; return CKR_OK; }

static CK_RV createObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR list, CK_ULONG count, CK_OBJECT_HANDLE_PTR object) {
  CK_RV answer = count > MOST_ATTRIBUTES ? CKR_DEVICE_MEMORY : judge(list, count);
  CK_ULONG i, j;
  (void)session;
  record(answer, list, count);
  if (answer != CKR_OK) return answer;
  for (i = 0; i < MOST_OBJECTS && objects[i].used; i++) continue;
  if (i == MOST_OBJECTS) return CKR_DEVICE_MEMORY;
  objects[i].used = 1;
  objects[i].count = count;
  for (j = 0; j < count; j++) {
    objects[i].list[j] = list[j];
    objects[i].list[j].pValue = malloc(list[j].ulValueLen + 1);
    memcpy(objects[i].list[j].pValue, list[j].pValue, list[j].ulValueLen);
  }
  *object = i + 1;
  return CKR_OK;
}

static CK_RV destroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  (void)session;
  if (object < 1 || object > MOST_OBJECTS || !objects[object - 1].used) return CKR_OBJECT_HANDLE_INVALID;
  objects[object - 1].used = 0;
  return CKR_OK;
}

static CK_RV findObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR list, CK_ULONG count) {
  CK_ULONG i, j;
  (void)session;
  foundCount = 0;
  for (i = 0; i < MOST_OBJECTS; i++) {
    int fits = objects[i].used;
    for (j = 0; fits && j < count; j++) {
      CK_ATTRIBUTE_PTR own = get(objects[i].list, objects[i].count, list[j].type);
      fits = own != NULL && own->ulValueLen == list[j].ulValueLen && memcmp(own->pValue, list[j].pValue, own->ulValueLen) == 0;
    }
    if (fits) found[foundCount++] = i + 1;
  }
  return CKR_OK;
}
static CK_RV findObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE_PTR out, CK_ULONG most, CK_ULONG_PTR count) {
  (void)session;
  for (*count = 0; *count < most && foundCount > 0; (*count)++) out[*count] = found[--foundCount];
  return CKR_OK;
}
static CK_RV findObjectsFinal(CK_SESSION_HANDLE session) { (void)session; return CKR_OK; }

static CK_RV getAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR list, CK_ULONG count) {
  CK_ULONG i;
  CK_RV answer = CKR_OK;
  (void)session;
  if (object < 1 || object > MOST_OBJECTS || !objects[object - 1].used) return CKR_OBJECT_HANDLE_INVALID;
  for (i = 0; i < count; i++) {
    struct object *own = &objects[object - 1];
    CK_ATTRIBUTE_PTR attribute = get(own->list, own->count, list[i].type);
    if (attribute == NULL || (list[i].type == CKA_VALUE && value(own->list, own->count, CKA_CLASS) == CKO_PRIVATE_KEY)) {
      list[i].ulValueLen = (CK_ULONG)-1;
      answer = attribute == NULL ? CKR_ATTRIBUTE_TYPE_INVALID : CKR_ATTRIBUTE_SENSITIVE;
      continue;
    }
    if (list[i].pValue != NULL) memcpy(list[i].pValue, attribute->pValue, attribute->ulValueLen);
    list[i].ulValueLen = attribute->ulValueLen;
  }
  return answer;
}

static CK_RV signInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  (void)session, (void)key;
  return mechanism->mechanism == 0x1D && mechanism->ulParameterLen == 0 ? CKR_OK : CKR_MECHANISM_INVALID;
}
static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG length, CK_BYTE_PTR out, CK_ULONG_PTR outLength) {
  (void)session, (void)data, (void)length;
  if (*outLength < 4627) return CKR_BUFFER_TOO_SMALL;
  memset(out, 0, 3309);
  *outLength = 3309;
  return CKR_OK;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
  memset(&functions, 0, sizeof functions);
  functions.version.major = 2;
  functions.version.minor = 40;
  functions.C_Initialize = initialize;
  functions.C_Finalize = finalize;
  functions.C_GetInfo = getInfo;
  functions.C_GetFunctionList = C_GetFunctionList;
  functions.C_GetSlotList = getSlotList;
  functions.C_GetTokenInfo = getTokenInfo;
  functions.C_GetMechanismList = getMechanismList;
  functions.C_OpenSession = openSession;
  functions.C_CloseSession = closeSession;
  functions.C_CreateObject = createObject;
  functions.C_DestroyObject = destroyObject;
  functions.C_FindObjectsInit = findObjectsInit;
  functions.C_FindObjects = findObjects;
  functions.C_FindObjectsFinal = findObjectsFinal;
  functions.C_GetAttributeValue = getAttributeValue;
  functions.C_SignInit = signInit;
  functions.C_Sign = sign;
  *list = &functions;
  return CKR_OK;
}
